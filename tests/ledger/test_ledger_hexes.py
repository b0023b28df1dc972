"""Numbers, bytes and addresses are read strictly and written as ledgers write them; accounts sign as ledgers verify."""

from __future__ import annotations

import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused
from ssi.ledger import hexes
from ssi.ledger.account import SoftwareAccount, recover
from ssi.ledger.transactions import LegacyTransaction, Transaction, sign
from ssi.legacy import secp256k1
from tests.ledger import faulty, nodes

ANYTHING = st.one_of(st.text(), st.integers(), st.none(), st.from_regex(r"0x[0-9a-fA-FxX]*", fullmatch=True))


@given(st.integers(0, 2**256 - 1))
def test_a_number_reads_as_it_was_written(number: int) -> None:
    assert hexes.read_quantity(hexes.quantity(number)) == number


@given(st.binary(max_size=80))
def test_bytes_read_as_they_were_written(content: bytes) -> None:
    assert hexes.read_data(hexes.data(content)) == content


@given(ANYTHING)
def test_whatever_comes_is_read_or_malformed(value: Any) -> None:
    for read in (hexes.read_quantity, hexes.read_data, hexes.read_address):
        with suppress(Malformed):
            read(value)


@pytest.mark.parametrize("text", ["0x", "0x00", "0x01", "1", "0X1", "0x1g", "0x" + "f" * 65, "-0x1", "0x1\n", 1, None])
def test_numbers_of_another_form_are_refused(text: Any) -> None:
    with pytest.raises(Malformed, match=r"ledger\.hex"):
        hexes.read_quantity(text)


def test_a_negative_number_is_not_written() -> None:
    with pytest.raises(Malformed, match=r"ledger\.hex"):
        hexes.quantity(-1)


@pytest.mark.parametrize(
    "address",
    [  # the examples of EIP-55
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
        "0x52908400098527886E0F7030069857D2E4169EE7",
    ],
)
def test_addresses_carry_their_checksum(address: str) -> None:
    assert hexes.checksummed(address.lower()) == address
    assert hexes.read_address(address) == address.lower()
    assert hexes.read_address(address.lower()) == address.lower()
    wrong = "0x" + address[2:].swapcase()
    if wrong[2:] not in (wrong[2:].lower(), wrong[2:].upper()):
        with pytest.raises(Malformed, match=r"ledger\.address"):
            hexes.read_address(wrong)


def test_data_has_the_size_that_it_must_have() -> None:
    with pytest.raises(Malformed, match=r"ledger\.hex"):
        hexes.read_data("0x00", 32)


def test_the_example_of_eip_155_is_signed_to_the_byte() -> None:
    account = SoftwareAccount.from_secret(b"\x46" * 32)
    asked = LegacyTransaction(9, "0x" + "35" * 20, b"", 21_000, 20 * 10**9, 10**18)
    assert sign(asked, account, 1).raw.hex() == (
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195"
        "fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    )


def test_both_kinds_of_transactions_are_taken_by_the_nodes(node: nodes.Node) -> None:
    account, there = node.account(), "0x" + "77" * 20
    for nonce, asked in enumerate(
        [
            LegacyTransaction(0, there, b"", 21_000, 10**10, 1),
            Transaction(1, there, b"", 21_000, 10**10, 1, 1),
        ]
    ):
        signed = sign(asked, account, node.chain_id)
        assert node.rpc.call("eth_sendRawTransaction", [hexes.data(signed.raw)]) == hexes.data(signed.hash)
        assert node.rpc.call("eth_getTransactionCount", [account.address, "latest"]) == hex(nonce + 1)


def test_where_a_contract_comes_to_lie_is_known_beforehand(node: nodes.Node) -> None:
    account = node.account()
    signed = sign(Transaction(0, None, b"\x00", 100_000, 10**10, 1), account, node.chain_id)
    node.rpc.call("eth_sendRawTransaction", [hexes.data(signed.raw)])
    receipt = node.rpc.call("eth_getTransactionReceipt", [hexes.data(signed.hash)])
    assert receipt["contractAddress"].lower() == hexes.contract_address(account.address, 0)


def test_an_account_keeps_its_key_in_pem_and_nowhere_else() -> None:
    account = SoftwareAccount.generate()
    again = SoftwareAccount.from_pem(account.pem())
    assert again.address == account.address
    assert repr(account) == f"SoftwareAccount({account.address})"
    digest = hexes.keccak(b"x")
    assert recover(digest, *again.sign_digest(digest)) == account.address
    with pytest.raises(TypeError):
        pickle.dumps(account)


@pytest.mark.parametrize("pem", [b"", b"nonsense", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_malformed(pem: bytes) -> None:
    with pytest.raises(Malformed, match=r"ledger\.key"):
        SoftwareAccount.from_pem(pem)


def test_keys_of_this_curve_only() -> None:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    other = ec.generate_private_key(ec.SECP256R1())
    pem = other.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(Malformed, match=r"ledger\.key"):
        SoftwareAccount.from_pem(pem)
    for secret in (bytes(32), b"\xff" * 32, b"\x01"):
        with pytest.raises(Malformed, match=r"ledger\.key"):
            SoftwareAccount.from_secret(secret)


def test_the_address_is_that_of_the_public_key() -> None:
    account = SoftwareAccount.generate()
    key = secp256k1.from_point(b"\x04" + account.public_point)
    assert hexes.address_of(key.x + key.y) == account.address
    with pytest.raises(Malformed, match=r"ledger\.address"):
        hexes.address_of(b"\x04" + account.public_point)


@pytest.mark.parametrize("numbers", [(0, 1, 0), (1, 0, 0), (1, 2**256 - 1, 0), (1, 1, 2)])
def test_signatures_that_no_ledger_takes_recover_nobody(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(Malformed, match=r"ledger\.signature"):
        recover(bytes(32), *numbers)


def test_a_handle_that_signs_for_somebody_else_is_noticed() -> None:
    class Other:
        address = "0x" + "11" * 20
        sign_digest = SoftwareAccount.generate().sign_digest

    with pytest.raises(Refused, match=r"ledger\.signer"):
        sign(Transaction(0, None, b"", 21_000, 1, 1), Other(), 1)


def test_a_process_may_be_killed_while_it_signs() -> None:
    account = faulty.DyingSigner(SoftwareAccount.generate(), after=True)
    assert faulty.in_child(lambda: account.sign_digest(bytes(32))) == 9


def test_a_signature_that_fits_no_key_is_malformed() -> None:
    """With R = G and s = z the recovered key would be the point at infinity."""
    gx = 0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798
    with pytest.raises(Malformed, match=r"ledger\.signature"):
        recover((7).to_bytes(32, "big"), gx, 7, 0)
    assert recover(bytes(32), gx, 7, 0).startswith("0x")
    with pytest.raises(Malformed, match=r"ledger\.signature"):
        recover(bytes(32), 5, 7, 0)  # no point has this x
