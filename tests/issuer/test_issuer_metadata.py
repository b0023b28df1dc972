"""The desk's metadata: complete, signed for who asks, and at the right address."""

from __future__ import annotations

from pathlib import Path

import pytest

from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.oid4vci import IssuerMetadata, metadata_url, signed
from ssi.trust.policies import Anchors
from tests.issuer.world import BASE, World
from wallet.issuer import kinds

PATH = "/.well-known/openid-credential-issuer"


def test_it_says_all_that_the_desk_can_do(world: World) -> None:
    answer = world.get(PATH)
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.headers["Vary"] == "Accept"
    read = IssuerMetadata.parse(answer.data, issuer=BASE)
    assert read.nonce_endpoint == f"{BASE}/nonce"
    assert read.batch_size == 10
    assert read.request_encryption is not None
    assert read.request_encryption.usable
    assert read.response_encryption is not None
    assert set(read.configurations) == {kind.id for kind in kinds.every()}
    formats = {configuration.format for configuration in read.configurations.values()}
    assert formats == {"dc+sd-jwt", "mso_mdoc", "ldp_vc", "vc+jwt", "vc+sd-jwt", "vc+cose", "jwt_vc_json"}
    (shown,) = read.display
    assert shown.logo is not None
    assert shown.logo.uri.startswith("data:image/")
    for configuration in read.configurations.values():
        assert configuration.binding_methods  # §12.2.4: both or none
        assert configuration.proof_algs["jwt"]
        assert configuration.scope
        locales = [each.locale for each in configuration.display]
        assert len(set(locales)) == len(locales)
    mdoc = read.configurations["VerifiedPersonMdoc"]
    assert mdoc.signing_algs == (-7,)
    assert "cose_key" in mdoc.binding_methods
    assert set(read.configurations["VerifiedPersonEddsa"].proof_algs) >= {"jwt", "di_vp"}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/jwt", "application/jwt"),
        ("application/jwt, application/json;q=0.5", "application/jwt"),
        ("application/json", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        (None, "application/json"),
    ],
)
def test_the_form_is_what_the_wallet_asks_for(world: World, accept: str | None, kind: str) -> None:
    answer = world.get(PATH, headers={} if accept is None else {"Accept": accept})
    assert (answer.status_code, answer.mimetype) == (200, kind)


def test_the_signed_form_says_the_same_and_leads_to_the_authority(world: World) -> None:
    token = world.get(PATH, headers={"Accept": "application/jwt"}).data
    metadata, signer = signed.open(token, issuer=BASE, keys=Keys(world.fetch), now=world.clock())
    assert metadata == IssuerMetadata.parse(world.get(PATH).data, issuer=BASE)
    finding = Anchors(world.anchors, None).judge(signer, signed.TYP, now=world.clock())
    assert finding.code == "trust.anchored"
    assert not set(signer.x5c) & set(world.anchors)  # HAIP 1.0 §4.1: the anchor is not sent
    assert jws.parse(token, typ=(signed.TYP,)).claims["iat"] <= world.clock().timestamp()


def test_the_signature_is_renewed_in_time(world: World) -> None:
    first = world.get(PATH, headers={"Accept": "application/jwt"}).data
    assert world.get(PATH, headers={"Accept": "application/jwt"}).data == first
    world.clock.pass_time(hours=2)
    again = world.get(PATH, headers={"Accept": "application/jwt"}).data
    assert again != first
    world.clock.pass_time(hours=21)
    assert signed.open(again, issuer=BASE, keys=Keys(world.fetch), now=world.clock())


def test_required_attestations_are_announced(tmp_path: Path) -> None:
    world = World(tmp_path, options={"KEY_ATTESTATION": "required"})
    listed = world.get(PATH).json["credential_configurations_supported"].values()
    for configuration in listed:
        types = configuration["proof_types_supported"]
        assert set(types) == {"jwt", "attestation"}
        assert all(each["key_attestations_required"] == {} for each in types.values())


def test_the_address_keeps_the_path_of_the_issuer() -> None:
    assert metadata_url("https://issuer.example/tenant/") == f"https://issuer.example{PATH}/tenant/"


def test_the_profile_leaves_its_own_formats_only(tmp_path: Path) -> None:
    """HAIP 1.0 §6, §4.1: SD-JWT VC and mdoc, each with its scope, and nonces for their keys."""
    metadata = World(tmp_path, options={"PROFILE": "haip"}).get(PATH).json
    listed = metadata["credential_configurations_supported"]
    assert {each["format"] for each in listed.values()} == {"dc+sd-jwt", "mso_mdoc"}
    assert all(each["scope"] for each in listed.values())
    assert metadata["nonce_endpoint"]
