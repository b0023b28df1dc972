"""The forms of the card: the same facts as SD-JWT, W3C credential and mdoc, each checked, shown and withdrawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from ssi import formats
from ssi.encoding import wire_text
from ssi.errors import Malformed
from ssi.formats import anyvc
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Opened, Outcome, Presentation, worst
from ssi.oid4vci import IssuerMetadata
from ssi.status import Checker
from ssi.trust.policies import Anchors, AnyOf, read_issuers
from tests.issuer.world import BASE, PERSON, World, error
from wallet.issuer import catalog, kinds
from wallet.issuer.attesting import Attesting
from wallet.issuer.identity import Identity, load

_WHOLE = ("vc+jwt", "vc+cose", "jwt_vc_json")
every_kind = pytest.mark.parametrize("kind", kinds.every(), ids=lambda kind: kind.id)
CHALLENGE = Challenge(nonce="n-0S6_WzA2Mj", audience="x509_hash:abc", response_uri="https://verifier.test/response")


@pytest.fixture
def world(tmp_path: Any) -> World:
    return World(tmp_path)


def received(world: World, kind: kinds.Kind) -> Credential:
    """The card as a wallet gets it: by way of application, offer, token and proof."""
    uri, tx_code = world.offer(world.apply().json["id"], kind=kind.id)
    token = world.token(uri, tx_code).json["access_token"]
    body = {"credential_configuration_id": kind.id, "proofs": {"jwt": [world.proof()]}}
    answer = world.credential(token, body)
    assert answer.status_code == 200, answer.text
    wire = wire_text(answer.json["credentials"][0]["credential"])
    assert wire is not None
    return Credential(kind.format, wire)


def opened(world: World, card: Credential) -> Opened:
    return formats.by_id(card.format).check(card, keys=Keys(world.fetch), now=world.clock())


def policy(world: World) -> AnyOf:
    listed = read_issuers((world.folder / "trust" / "issuers.json").read_bytes())
    return AnyOf((Anchors(world.anchors, None), listed))


def status_of(world: World, found: Opened) -> str:
    keys = Keys(world.fetch)
    checker = Checker(
        fetch=world.fetch,
        keys=keys,
        trust=policy(world),
        max_age=timedelta(hours=1),
        opener=anyvc.opener(keys),
    )
    return worst(checker.check(one, issuer=found.issuer, now=world.clock()) for one in found.statuses).code


def subject(kind: kinds.Kind, found: Opened) -> Any:
    claims: Any = found.claims
    for part in kind.above:
        claims = claims[part]
    return claims


@every_kind
def test_each_form_is_announced_and_says_the_same(world: World, kind: kinds.Kind) -> None:
    metadata = IssuerMetadata.parse(world.get("/.well-known/openid-credential-issuer").data, issuer=BASE)
    configuration = metadata.configurations[kind.id]
    assert (configuration.format, configuration.type) == (kind.format, kind.type)
    assert configuration.name == "Verified person"
    found = opened(world, received(world, kind))
    assert {f.outcome for f in found.findings if f.check is not Check.HOLDER_BINDING} == {Outcome.PASS}
    assert found.type == kind.type
    assert found.holder == world.holder.public
    said = subject(kind, found)
    assert said["given_name"] == PERSON["given_name"]
    assert said["nationalities"] == ["DE"]
    assert said["age_over_18"] is False
    assert said["document"]["number"] == PERSON["document_number"]
    assert policy(world).judge(found.issuer, found.type, now=world.clock()).outcome is Outcome.PASS


@every_kind
def test_one_claim_can_be_shown_of_each_form(world: World, kind: kinds.Kind) -> None:
    card = received(world, kind)
    form = formats.by_id(kind.format)
    disclose = Disclosure(((*kind.above, "age_over_16"),))
    shown = form.derive(card, disclose=disclose, challenge=CHALLENGE, holder=world.holder, now=world.clock())
    found = form.open(
        Presentation(kind.format, shown.wire), challenge=CHALLENGE, keys=Keys(world.fetch), now=world.clock()
    )
    assert {finding.outcome for finding in found.findings} == {Outcome.PASS}
    about = {name: value for name, value in subject(kind, found).items() if name == "age_over_16" or name in PERSON}
    assert about["age_over_16"] is True
    whole = kind.id in ("VerifiedPersonEcdsa", "VerifiedPersonEddsa") or kind.format in _WHOLE
    assert (len(about) == 1) is (PERSON["family_name"] not in str(found.claims)) is not whole


@pytest.mark.parametrize("alg", ["EdDSA", "ES384", "ES512"])
@every_kind
def test_who_gets_a_form_can_show_it(world: World, kind: kinds.Kind, alg: str) -> None:
    """A card is not bound to a key with which its holder could never present it."""
    world.holder = SoftwareSigner.generate(alg)
    if alg not in kind.held_with:
        uri, tx_code = world.offer(world.apply().json["id"], kind=kind.id)
        body = {"credential_configuration_id": kind.id, "proofs": {"jwt": [world.proof()]}}
        answer = world.credential(world.token(uri, tx_code).json["access_token"], body)
        assert error(answer) == (400, "invalid_proof")
        return
    card, form = received(world, kind), formats.by_id(kind.format)
    disclose = Disclosure(((*kind.above, "age_over_16"),))
    shown = form.derive(card, disclose=disclose, challenge=CHALLENGE, holder=world.holder, now=world.clock())
    found = form.open(shown, challenge=CHALLENGE, keys=Keys(world.fetch), now=world.clock())
    assert {finding.outcome for finding in found.findings} == {Outcome.PASS}


@every_kind
def test_each_form_can_be_withdrawn_for_a_time_and_for_good(world: World, kind: kinds.Kind) -> None:
    found = opened(world, received(world, kind))
    assert status_of(world, found) == "status.valid"
    identifier = world.rows("credentials")[0]["id"]
    for action, code in (("suspend", "status.suspended"), ("resume", "status.valid"), ("revoke", "status.revoked")):
        assert world.desk("POST", f"/desk/credentials/{identifier}/{action}", data={"reason": "x"}).status_code == 200
        world.clock.pass_time(minutes=2)
        assert status_of(world, found) == code


def test_a_form_that_the_desk_does_not_know_is_refused(world: World) -> None:
    identifier = world.apply().json["id"]
    answer = world.desk("POST", f"/desk/applications/{identifier}/offer", data={"kind": "Passport"})
    assert error(answer) == (400, "offer.kind")


def test_lists_that_are_not_there_are_not_found(world: World) -> None:
    found = opened(world, received(world, kinds.every()[1]))
    path = found.statuses[0].uri.removeprefix(BASE)
    assert world.get(path).status_code == 200
    assert world.get(path).headers["Content-Type"].startswith("application/vc")
    assert "max-age" in world.get(path).headers["Cache-Control"]
    for wrong in (path.replace("revocation", "refresh"), "/status/0000/revocation"):
        assert world.get(wrong).status_code in (403, 404)


def offered(identity: Identity) -> list[str]:
    return list(catalog.configurations(identity, Attesting()))


def test_a_desk_offers_the_forms_that_its_keys_can_sign(world: World) -> None:
    every = load(world.settings)
    assert offered(every) == [kind.id for kind in kinds.every()]
    bare = replace(every, bbs=None, edwards=None)
    assert [len(each.did_document["assertionMethod"]) for each in (every, bare)] == [3, 1]
    assert set(offered(every)) - set(offered(bare)) == {"VerifiedPersonBbs", "VerifiedPersonEddsa"}
    other = set(offered(replace(bare, signer=SoftwareSigner.generate("EdDSA"))))
    assert {"VerifiedPerson", "VerifiedPersonMdoc", "VerifiedPersonEddsa"} <= other
    assert other.isdisjoint({"VerifiedPersonCredential", "VerifiedPersonEcdsa", "VerifiedPersonBbs"})
    unlisted = replace(every, signer=SoftwareSigner.generate("ES512"))  # it could not sign W3C cards' status lists
    assert offered(unlisted) == ["VerifiedPerson", "VerifiedPersonMdoc"]
    assert kinds.by_id("Passport") is None


def test_a_seed_makes_one_key_for_good(world: World) -> None:
    seed = world.settings.bbs_seed
    assert seed is not None
    assert load(world.settings).bbs == load(world.settings).bbs
    assert seed.read_text().strip() not in repr(load(world.settings))
    seed.write_text("short")
    with pytest.raises(Malformed):
        load(world.settings)
    seed.unlink()
    assert load(replace(world.settings, bbs_seed=None)).bbs is None


def test_the_desks_did_is_trusted_for_what_it_issues_and_for_nothing_else(world: World) -> None:
    """Whoever controls the desk's web site controls its DID; its certificate is another matter."""
    _ = world.settings
    listed = read_issuers((world.folder / "trust" / "issuers.json").read_bytes())
    assert listed.types_by_id == {"did:web:issuer.test": frozenset(kind.type for kind in kinds.every())}


def test_a_chain_ends_with_its_certificate_however_the_desk_is_named(tmp_path: Any) -> None:
    world = World(tmp_path, options={"IDENTIFY_BY": "did", "VALIDITY_DAYS": "3650"})
    mdoc = next(kind for kind in kinds.every() if kind.format == "mso_mdoc")
    certificate = load(world.settings).good_until_for(mdoc.issuer(load(world.settings), load(world.settings).signer))
    assert opened(world, received(world, mdoc)).valid_until == certificate
    free = opened(world, received(world, kinds.every()[0]))
    assert free.valid_until is not None
    assert free.valid_until > certificate
