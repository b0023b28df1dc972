"""Does one run make all that a trial needs, and does another keep it?"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from service.bootstrap import AUTHORITIES, Made, bootstrap
from service.minting import Authority, Leaf, fits, issue, new_authority, new_key, read_certificate
from ssi.errors import Malformed, Refused, Unavailable
from ssi.keys import SoftwareSigner
from ssi.trust.x509 import read_certificates, validate_chain
from tests.support import NOW

URLS = {"issuer": "https://desk.test", "wallet": "https://wallet.test:8442", "verifier": "https://verifier.test"}


def run(folder: Path, *, urls: Mapping[str, str] = URLS, later: timedelta = timedelta()) -> Made:
    return bootstrap(folder, hosts=("localhost", "127.0.0.1"), base_urls=urls, now=NOW + later)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_everything_is_made_and_reported(tmp_path: Path) -> None:
    made = run(tmp_path)
    expected = {
        *(f"trust/{name}.pem" for name in AUTHORITIES),
        "trust/issuers.json",
        "issuer/bbs-seed",
        "issuer/eddsa-seed",
        *(f"ca/{name}.key" for name in AUTHORITIES),
        *(f"{role}/tls.{end}" for role in URLS for end in ("pem", "key")),
        *("issuer/signing.pem", "issuer/signing.key", "issuer/desk-token", "issuer/cookie.key", "wallet/cookie.key"),
        *("verifier/access.pem", "verifier/access.key", "verifier/api-key", "verifier/cookie.key"),
        *("ca/attester.pem", "ca/attester.key", "verifier/attestation.jwt"),
        *("wallet/provider.pem", "wallet/provider.key", "trust/wallets.json"),
    }
    assert set(contents(tmp_path)) == expected | {".bootstrap.lock"}
    assert {str(file.path.relative_to(tmp_path)) for file in made.written} == expected


def test_secrets_are_their_owners_alone(tmp_path: Path) -> None:
    for file in run(tmp_path).files:
        open_to = stat.S_IMODE(file.path.stat().st_mode) & 0o077
        assert (open_to == 0) == file.secret, file.path
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "wallet").stat().st_mode) == 0o700


def test_others_can_change_nothing_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        run(tmp_path / "var")
    finally:
        os.umask(before)
    made = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    assert [path.name for path in made if stat.S_IMODE(path.stat().st_mode) & 0o022] == []


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    assert run(tmp_path, later=timedelta(days=1)).written == ()
    assert contents(tmp_path) == before


def test_what_is_missing_is_made_and_what_is_there_stays(tmp_path: Path) -> None:
    run(tmp_path)
    before = contents(tmp_path)
    (tmp_path / "wallet" / "tls.pem").unlink()
    (tmp_path / "verifier" / "api-key").unlink()
    assert {file.path.name for file in run(tmp_path).written} == {"tls.pem", "api-key"}
    after = contents(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"wallet/tls.pem", "verifier/api-key"}


def test_certificates_are_renewed_before_they_end_and_when_the_address_changes(tmp_path: Path) -> None:
    run(tmp_path)
    key = (tmp_path / "issuer" / "signing.key").read_bytes()
    renewed = {file.path.name for file in run(tmp_path, later=timedelta(days=340)).written}
    assert renewed == {
        *("tls.pem", "signing.pem", "access.pem", "provider.pem"),
        *("attester.pem", "attestation.jwt"),
    }
    moved = run(tmp_path, urls={**URLS, "issuer": "https://new.test"}, later=timedelta(days=340)).written
    assert {str(file.path.relative_to(tmp_path)) for file in moved} == {
        "issuer/tls.pem",
        "issuer/signing.pem",
        "trust/issuers.json",
    }
    assert (tmp_path / "issuer" / "signing.key").read_bytes() == key


@pytest.mark.parametrize(("leaf", "anchor"), [("issuer/signing", "issuer-ca"), ("verifier/access", "relying-party-ca")])
def test_signing_chains_satisfy_our_own_rules_and_only_their_own_authority(
    tmp_path: Path, leaf: str, anchor: str
) -> None:
    run(tmp_path)
    chain = read_certificates((tmp_path / f"{leaf}.pem").read_bytes())
    anchors = read_certificates((tmp_path / "trust" / f"{anchor}.pem").read_bytes())
    validated = validate_chain(chain, anchors=anchors, now=NOW)
    signer = SoftwareSigner.from_pkcs8((tmp_path / f"{leaf}.key").read_bytes())
    assert validated.leaf_public == signer.public
    others = read_certificates((tmp_path / "trust" / "tls-ca.pem").read_bytes())
    with pytest.raises(Refused):
        validate_chain(chain, anchors=others, now=NOW)


def test_tls_certificates_name_every_address(tmp_path: Path) -> None:
    run(tmp_path)
    certificate = read_certificate((tmp_path / "wallet" / "tls.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["wallet.test", "localhost"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]


def test_a_role_alone_gets_only_what_is_its_own(tmp_path: Path) -> None:
    run(tmp_path, urls={"wallet": URLS["wallet"]})
    assert not (tmp_path / "issuer").exists()
    assert not (tmp_path / "verifier").exists()


def test_a_url_without_a_host_and_a_folder_that_cannot_be_written_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(Malformed, match=r"bootstrap\.base_url"):
        run(tmp_path, urls={"issuer": "nonsense"})
    (tmp_path / "file").write_text("x")
    with pytest.raises(Unavailable, match=r"bootstrap\.files"):
        run(tmp_path / "file")


def test_a_leaf_never_outlives_its_authority_and_fits_only_its_own() -> None:
    authority, other = new_authority("A", now=NOW - timedelta(days=3500)), new_authority("B", now=NOW)
    leaf, key = Leaf("x", "X", ("x.test",)), new_key()
    certificate = issue(authority, leaf, key=key, now=NOW)
    assert certificate.not_valid_after_utc == authority.certificate.not_valid_after_utc
    assert fits(certificate, leaf, key=key, authority=authority, now=NOW)
    assert not fits(certificate, leaf, key=key, authority=other, now=NOW)
    assert not fits(certificate, leaf, key=new_key(), authority=authority, now=NOW)
    impostor = Authority(authority.certificate, other.signer)
    forged = issue(impostor, leaf, key=key, now=NOW)
    assert not fits(forged, leaf, key=key, authority=authority, now=NOW)
    with pytest.raises(Malformed, match=r"minting\.certificate"):
        read_certificate(b"no")
    with pytest.raises(Malformed, match=r"minting\.key"):
        issue(Authority(authority.certificate, SoftwareSigner.generate("EdDSA")), leaf, key=key, now=NOW)
    assert certificate.public_bytes(Encoding.DER)
