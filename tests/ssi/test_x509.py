"""Which chains are accepted, which are refused, and with what code."""

from __future__ import annotations

import contextlib
import hashlib
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from ssi.errors import Malformed, Refused, SsiError, Unsupported
from ssi.keys import SoftwareSigner
from ssi.trust import x509 as chains
from tests.ssi.certificates import CERTIFIES, END, SIGNS, START, Authority, certificate, name, root, usage
from tests.support import NOW

KEY = SoftwareSigner.generate("ES256")
ROOT = root()
MIDDLE = ROOT.authority("Utopia Issuing Authority")
LEAF = MIDDLE.certify(KEY.public)
OID = x509.ObjectIdentifier("1.3.6.1.4.1.55555.1")


def code(x5c: list[bytes], anchors: list[bytes], **kwargs: object) -> str:
    with pytest.raises(SsiError) as caught:
        chains.validate_chain(x5c, anchors=anchors, now=kwargs.get("now", NOW))  # type: ignore[arg-type]
    return caught.value.code


@pytest.mark.parametrize("alg", ["ES256", "ES384", "EdDSA"])
def test_a_leaf_under_its_authority_is_accepted(alg: str) -> None:
    key = SoftwareSigner.generate(alg)
    der = ROOT.certify(key.public, dns=["Issuer.TEST"])
    chain = chains.validate_chain([der], anchors=[ROOT.der], now=NOW)
    assert chain.leaf_public == key.public
    assert (chain.organization, chain.leaf.common_name) == ("Republic of Utopia", "Registry of Persons")
    assert chain.leaf.name == "Republic of Utopia"
    assert chain.dns_names == ("issuer.test",)
    assert chain.leaf.uris == ("https://issuer.test",)
    assert chain.leaf_sha256 == hashlib.sha256(der).digest()
    assert chain.anchor_sha256 == hashlib.sha256(ROOT.der).digest()
    assert "Utopia Root" in chain.ca_subject
    assert "Registry of Persons" in chain.subject


def test_a_leafs_texts_hold_nothing_that_makes_them_look_like_others() -> None:
    der = ROOT.certify(KEY.public, common="shop\u202etest.knab", organization="Bank\n\u2066of Utopia")
    leaf = chains.leaf([der])
    assert (leaf.name, leaf.common_name) == ("Bank of Utopia", "shoptest.knab")
    assert leaf.subject.isprintable()


def test_intermediates_lead_to_the_anchor() -> None:
    chain = chains.validate_chain([LEAF, MIDDLE.der], anchors=[root("Other").der, ROOT.der], now=NOW)
    assert "Utopia Root" in chain.ca_subject


def test_an_intermediate_may_itself_be_the_anchor() -> None:
    assert chains.validate_chain([LEAF], anchors=[MIDDLE.der], now=NOW).leaf_public == KEY.public


def test_a_p384_authority_may_certify() -> None:
    strong = root("Strong", alg="ES384")
    assert chains.validate_chain([strong.certify(KEY.public)], anchors=[strong.der], now=NOW)


def test_the_same_chain_is_worked_out_once_and_its_time_checked_every_time() -> None:
    short = ROOT.certify(KEY.public, end=NOW + timedelta(days=1))
    chains.validate_chain([short], anchors=[ROOT.der], now=NOW)
    before = chains._paths.cache_info()
    again = chains.validate_chain([bytes(bytearray(short))], anchors=[ROOT.der], now=NOW)
    after = chains._paths.cache_info()
    assert (after.hits, after.misses) == (before.hits + 1, before.misses)
    assert again.leaf_public == KEY.public
    assert code([short], [ROOT.der], now=NOW + timedelta(days=2)) == "trust.expired"


def test_an_unknown_authority_is_refused() -> None:
    assert code([LEAF, MIDDLE.der], [root("Other").der]) == "trust.unknown_anchor"
    assert code([LEAF, MIDDLE.der], []) == "trust.unknown_anchor"


def test_an_authority_of_the_same_name_with_another_key_is_refused() -> None:
    assert code([LEAF, MIDDLE.der], [root().der]) == "trust.chain"


def test_a_renewed_anchor_of_the_same_key_serves_beside_the_expired_one() -> None:
    old = root(end=NOW - timedelta(days=1))
    new = Authority(old.signer, old.subject, certificate(
        old.subject, old.subject, old.signer.public, old.signer, NOW - timedelta(days=2), END,
        [(x509.BasicConstraints(True, None), True), (usage(CERTIFIES), True)]))  # fmt: skip
    der = new.certify(KEY.public)
    assert code([der], [old.der]) == "trust.expired"
    chain = chains.validate_chain([der], anchors=[old.der, new.der], now=NOW)
    assert chain.anchor_sha256 == hashlib.sha256(new.der).digest()


def test_the_anchor_must_not_come_in_the_chain() -> None:
    assert code([LEAF, MIDDLE.der, ROOT.der], [ROOT.der]) == "trust.anchor_in_chain"
    assert code([LEAF, MIDDLE.der], [MIDDLE.der, ROOT.der]) == "trust.anchor_in_chain"
    assert code([LEAF], [LEAF]) == "trust.anchor_in_chain"


def test_self_signed_is_found_by_verifying_not_by_the_names() -> None:
    for alg in ("ES256", "ES384", "EdDSA"):
        forger = SoftwareSigner.generate(alg)
        signs = [(usage(SIGNS), True)]
        forged = certificate(name("Registry of Persons"), ROOT.subject, forger.public, forger, START, END, signs)
        assert code([forged], [ROOT.der]) == "trust.self_signed"
    honest = certificate(name("me"), name("me"), KEY.public, KEY, START, END)
    assert code([honest], [ROOT.der]) == "trust.self_signed"


def test_equal_subject_and_issuer_alone_are_not_self_signed() -> None:
    der = certificate(ROOT.subject, ROOT.subject, KEY.public, ROOT.signer, START, END, [(usage(SIGNS), True)])
    assert chains.validate_chain([der], anchors=[ROOT.der], now=NOW).leaf_public == KEY.public


def test_another_root_inside_the_chain_is_refused() -> None:
    other = root()
    assert code([LEAF, MIDDLE.der, other.der], [ROOT.der]) == "trust.self_signed"


def test_validity_is_that_of_every_certificate() -> None:
    later = NOW + timedelta(days=10)
    assert code([ROOT.certify(KEY.public, end=NOW - timedelta(seconds=1))], [ROOT.der]) == "trust.expired"
    assert code([ROOT.certify(KEY.public, start=later)], [ROOT.der]) == "trust.not_yet_valid"
    old = ROOT.authority("Old", end=NOW - timedelta(seconds=1))
    assert code([old.certify(KEY.public), old.der], [ROOT.der]) == "trust.expired"
    gone = root("Gone", end=NOW - timedelta(seconds=1))
    assert code([gone.certify(KEY.public)], [gone.der]) == "trust.expired"
    never = ROOT.authority("Never", end=START + timedelta(days=1))
    assert code([never.certify(KEY.public, start=START + timedelta(days=2)), never.der], [ROOT.der]) == "trust.chain"


def test_a_broken_signature_breaks_the_chain() -> None:
    broken = bytearray(LEAF)
    broken[-1] ^= 1
    assert code([bytes(broken), MIDDLE.der], [ROOT.der]) == "trust.chain"


def test_order_is_the_signers_to_get_right() -> None:
    other = ROOT.authority("Beside")
    low = MIDDLE.authority("Low")
    leaf = low.certify(KEY.public)
    assert chains.validate_chain([leaf, low.der, MIDDLE.der], anchors=[ROOT.der], now=NOW)
    assert code([leaf, MIDDLE.der, low.der], [ROOT.der]) in {"trust.chain", "trust.unknown_anchor"}
    assert code([LEAF, other.der, MIDDLE.der], [ROOT.der]) == "trust.chain"
    assert code([LEAF, MIDDLE.der, MIDDLE.der], [ROOT.der]) == "trust.chain"


def test_only_an_authority_certifies() -> None:
    plain = ROOT.authority("Plain", ca=False, extensions=[(usage(SIGNS), True)])
    assert code([plain.certify(KEY.public), plain.der], [ROOT.der]) == "trust.chain"
    for extensions in ([], [(usage(SIGNS), True)]):
        bare = SoftwareSigner.generate("ES256")
        der = certificate(name("Bare"), ROOT.subject, bare.public, ROOT.signer, START, END, extensions)
        pretender = Authority(bare, name("Bare"), der)
        assert code([pretender.certify(KEY.public), der], [ROOT.der]) == "trust.chain"
    mute = ROOT.authority("Mute", extensions=[(usage(SIGNS), True)])
    assert code([mute.certify(KEY.public), mute.der], [ROOT.der]) == "trust.chain"


def test_an_anchor_that_is_no_authority_is_no_anchor() -> None:
    signer = SoftwareSigner.generate("ES256")
    der = certificate(name("Pinned"), name("Pinned"), signer.public, signer, START, END, [(usage(SIGNS), True)])
    assert code([Authority(signer, name("Pinned"), der).certify(KEY.public)], [der]) == "trust.chain"


def test_path_lengths_hold() -> None:
    narrow = root("Narrow", pathlen=0)
    assert chains.validate_chain([narrow.certify(KEY.public)], anchors=[narrow.der], now=NOW)
    below = narrow.authority("Below")
    assert code([below.certify(KEY.public), below.der], [narrow.der]) == "trust.chain"


def test_a_signer_is_no_authority_and_its_key_is_for_signatures() -> None:
    assert code([MIDDLE.der], [ROOT.der]) == "trust.chain"
    agreeing = ROOT.certify(KEY.public, extensions=[(usage("key_agreement"), True)])
    assert code([agreeing], [ROOT.der]) == "trust.chain"
    silent = ROOT.certify(KEY.public, extensions=[])
    assert chains.validate_chain([silent], anchors=[ROOT.der], now=NOW)


def test_unknown_critical_extensions_are_refused_and_others_are_not() -> None:
    unknown = x509.UnrecognizedExtension(OID, b"\x05\x00")
    der = ROOT.certify(KEY.public, extensions=[(usage(SIGNS), True), (unknown, True)])
    assert code([der], [ROOT.der]) == "trust.chain"
    middle = ROOT.authority("Odd", extensions=[(usage(CERTIFIES), True), (unknown, True)])
    assert code([middle.certify(KEY.public), middle.der], [ROOT.der]) == "trust.chain"
    der = ROOT.certify(KEY.public, extensions=[(usage(SIGNS), True), (unknown, False)])
    assert chains.validate_chain([der], anchors=[ROOT.der], now=NOW)


def test_an_extended_key_usage_of_another_world_is_no_obstacle() -> None:
    reader = x509.ExtendedKeyUsage([x509.ObjectIdentifier("1.0.18013.5.1.6")])
    for critical in (True, False):
        der = ROOT.certify(KEY.public, extensions=[(usage(SIGNS), True), (reader, critical)])
        assert chains.validate_chain([der], anchors=[ROOT.der], now=NOW)


def test_name_constraints_hold() -> None:
    fence = x509.NameConstraints([x509.DNSName("issuer.test")], None)
    fenced = ROOT.authority("Fenced", extensions=[(usage(CERTIFIES), True), (fence, True)])
    inside, outside = fenced.certify(KEY.public, uris=()), fenced.certify(KEY.public, uris=(), dns=["bank.test"])
    assert chains.validate_chain([inside, fenced.der], anchors=[ROOT.der], now=NOW)
    assert code([outside, fenced.der], [ROOT.der]) == "trust.chain"


def test_an_ed25519_authority_is_not_supported() -> None:
    odd = root("Odd", alg="EdDSA")
    assert code([odd.certify(KEY.public)], [odd.der]) == "trust.chain"


def test_an_rsa_authority_may_certify_but_not_stand_in_the_chain() -> None:
    native, old = rsa.generate_private_key(65537, 2048), name("Old Root")
    builder = x509.CertificateBuilder().subject_name(old).issuer_name(old).public_key(native.public_key())
    builder = builder.serial_number(7).not_valid_before(START).not_valid_after(END)
    builder = builder.add_extension(x509.BasicConstraints(True, None), True)
    builder = builder.add_extension(usage(CERTIFIES), True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(native.public_key()), False)
    anchor = builder.sign(native, hashes.SHA256()).public_bytes(Encoding.DER)
    leaf = x509.CertificateBuilder().subject_name(name("leaf")).issuer_name(old).public_key(KEY.public.native)
    leaf = leaf.serial_number(8).not_valid_before(START).not_valid_after(END)
    der = leaf.sign(native, hashes.SHA256()).public_bytes(Encoding.DER)
    assert chains.validate_chain([der], anchors=[anchor], now=NOW).leaf_public == KEY.public
    assert code([der, anchor], [ROOT.der]) == "trust.self_signed"


def test_an_rsa_leaf_has_no_key_for_this_house() -> None:
    native = rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateBuilder().subject_name(name("rsa")).issuer_name(ROOT.subject)
    builder = builder.public_key(native.public_key()).serial_number(7).not_valid_before(START).not_valid_after(END)
    der = builder.sign(ROOT.signer.native, hashes.SHA256()).public_bytes(Encoding.DER)
    with pytest.raises(Unsupported):
        chains.leaf([der])


def test_sizes_are_bounded() -> None:
    assert code([], [ROOT.der]) == "trust.chain_size"
    assert code([LEAF] * 9, [ROOT.der]) == "trust.chain_size"
    assert code([LEAF + b"\x00" * 20_000], [ROOT.der]) == "trust.chain_size"
    with pytest.raises(Malformed):
        chains.leaf([])


def test_pem_files_are_read_in_order_and_not_when_empty() -> None:
    both = [x509.load_der_x509_certificate(der) for der in (ROOT.der, MIDDLE.der)]
    pem = b"a comment\n".join(each.public_bytes(Encoding.PEM) for each in both)
    assert chains.read_certificates(pem) == (ROOT.der, MIDDLE.der)
    for bad in (b"", b"nothing", pem[:60], b"\x00" * 2_000_000):
        with pytest.raises(Malformed):
            chains.read_certificates(bad)


@given(st.binary(max_size=300))
def test_hostile_bytes_raise_only_ssi_errors(data: bytes) -> None:
    for read in (lambda: chains.leaf([data]), lambda: chains.read_certificates(data)):
        with pytest.raises(SsiError):
            read()


def signed_part(der: bytes) -> bytes:
    return x509.load_der_x509_certificate(der).tbs_certificate_bytes


@given(st.integers(0, len(MIDDLE.der) - 1), st.integers(0, 255))
def test_a_changed_authority_is_refused_or_unreadable(place: int, value: int) -> None:
    changed = MIDDLE.der[:place] + bytes([value]) + MIDDLE.der[place + 1 :]
    if changed == MIDDLE.der:
        return
    refused_unless_only_the_signature_is_written_otherwise([LEAF, changed], changed, MIDDLE.der)
    with contextlib.suppress(SsiError):
        chains.validate_chain([LEAF], anchors=[changed], now=NOW)
    with contextlib.suppress(SsiError):
        chains.authority(changed)


@given(st.integers(0, len(LEAF) - 1), st.integers(0, 255), st.booleans())
def test_a_changed_certificate_is_refused_or_unreadable(place: int, value: int, remove: bool) -> None:
    changed = LEAF[:place] + (b"" if remove else bytes([value])) + LEAF[place + 1 :]
    if changed == LEAF:
        return
    refused_unless_only_the_signature_is_written_otherwise([changed, MIDDLE.der], changed, LEAF)
    with contextlib.suppress(SsiError):
        chains.leaf([changed])


def refused_unless_only_the_signature_is_written_otherwise(chain: list[bytes], changed: bytes, original: bytes) -> None:
    """One ECDSA signature has several encodings (its bit string's unused bits); nobody signs those."""
    try:
        chains.validate_chain(chain, anchors=[ROOT.der], now=NOW)
    except SsiError:
        return
    assert signed_part(changed) == signed_part(original)


def test_refusals_carry_no_certificate_text() -> None:
    with pytest.raises(Refused) as caught:
        chains.validate_chain([LEAF, MIDDLE.der], anchors=[root("Other").der], now=NOW)
    assert "Registry" not in str(caught.value)
