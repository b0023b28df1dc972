"""A trust declaration in the three roles: `--trust FILE` adds to the anchors, and a bad file ends the start."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from service.bootstrap import bootstrap
from ssi.encoding import write_json
from ssi.errors import Malformed, SsiError
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.issuerkeys import Keys
from ssi.keys import SoftwareSigner
from ssi.model import Challenge, Check, Credential, Disclosure, Draft, Issuer, Outcome, Presentation, TrustPolicy
from ssi.oauth.clients import WALLET_ATTESTATION
from tests.ssi import federations
from tests.ssi.certificates import root
from tests.ssi.federations import Member, issuer
from tests.ssi.test_trust_declared import pem
from tests.support import NOW, InMemoryFetch
from verifier import settings as verifier_settings
from verifier import wiring
from verifier.policy import Policy
from wallet.holder import settings as wallet_settings
from wallet.holder.web import check as check_wallet
from wallet.holder.web import outside
from wallet.issuer import office
from wallet.issuer import settings as issuer_settings

TYPE, TOP = "urn:eudi:pid:1", "https://anchor.test"
PARTNER = root("Partner CA")
CHAIN = (PARTNER.certify(SoftwareSigner.generate("ES256").public),)
LEAF, ANCHOR = issuer("https://issuer.test", TOP), Member(TOP)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trusting")
    urls = {
        "issuer": "https://localhost:8441",
        "wallet": "https://localhost:8442",
        "verifier": "https://localhost:8443",
    }
    bootstrap(folder, hosts=("localhost",), base_urls=urls, now=NOW)
    (folder / "trust/partner.pem").write_bytes(pem(PARTNER.der))
    (folder / "trust/anchor.json").write_bytes(write_json(federations.jwks(ANCHOR.signer)))
    certified = {"kind": "x509", "anchors": "partner.pem", "types": [TYPE]}
    anybody = {**certified, "types": None}
    federation = {"kind": "federation", "anchor": TOP, "keys": "anchor.json", "types": [TYPE]}
    declaration = {"issuers": [certified, federation], "relying_parties": [anybody], "wallets": [anybody]}
    (folder / "trust/trust.json").write_text(json.dumps(declaration))
    return folder


def said(policy: TrustPolicy | None, who: Issuer, kind: str = TYPE) -> Outcome:
    assert policy is not None
    return policy.judge(who, kind, now=NOW).outcome


def test_a_wallet_keeps_cards_of_declared_issuers_and_knows_declared_askers(data: Path) -> None:
    settings = wallet_settings.read_settings({"FACET_WALLET_DATA": str(data)})
    assert settings.trust == data / "trust/trust.json"
    world = outside(settings, fetch=federations.world(LEAF, ANCHOR))
    certified, stranger = (
        Issuer(None, None, CHAIN),
        Issuer(None, None, (root().certify(SoftwareSigner.generate("ES256").public),)),
    )
    assert said(world.issuers, certified) is Outcome.PASS
    assert said(world.issuers, certified, "other") is Outcome.FAIL
    assert said(world.issuers, stranger) is Outcome.FAIL
    assert said(world.issuers, Issuer(LEAF.id)) is Outcome.PASS
    assert said(world.askers, certified) is Outcome.PASS
    assert said(world.askers, stranger) is Outcome.FAIL
    assert world.keys.issuer_key(Issuer(LEAF.id), alg="ES256", now=NOW).key == LEAF.protocol.public
    assert world.authorities is not None
    assert world.authorities.judge("openid_federation", TOP, Issuer(LEAF.id), now=NOW).outcome is Outcome.PASS


def test_a_desk_believes_declared_wallet_providers_for_their_attestations_only(data: Path) -> None:
    settings = issuer_settings.read_settings({"FACET_ISSUER_DATA": str(data)})
    policy = office._declared(settings.trust, InMemoryFetch({}))
    assert said(policy, Issuer(None, None, CHAIN), WALLET_ATTESTATION) is Outcome.PASS
    assert office._declared(None, InMemoryFetch({})) is None


@pytest.mark.parametrize(
    "content",
    [b"{", b"{}", b'{"issuers": [{"kind": "x"}]}', b'{"issuers": [{"kind": "x509", "anchors": "no", "types": null}]}'],
)
def test_a_bad_declaration_ends_the_start(data: Path, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "trust.json"
    file.write_bytes(content)
    named = {"FACET_WALLET_DATA": str(data), "FACET_WALLET_TRUST": str(file)}
    with pytest.raises(SsiError):
        check_wallet(named)
    with pytest.raises(SsiError):
        wiring.check(verifier(data, trust=str(file)))
    with pytest.raises(SsiError):
        office._declared(file, InMemoryFetch({}))


def verifier(data: Path, **changes: str) -> verifier_settings.VerifierSettings:
    named = {f"FACET_VERIFIER_{name.upper()}": value for name, value in changes.items()}
    return verifier_settings.read({"FACET_VERIFIER_DATA": str(data), **named})


def test_a_file_that_is_named_and_not_there_ends_the_start(data: Path) -> None:
    with pytest.raises(Malformed):
        wiring.check(verifier(data, trust=str(data / "nowhere.json")))
    wiring.check(verifier(data))


# --- a credential of a federation's member, verified ------------------------------------------------------------------


def verified(network: InMemoryFetch, data: Path, *, signer: SoftwareSigner, kid: str) -> dict[Check, Any]:
    holder, challenge = SoftwareSigner.generate("ES256"), Challenge("n" * 22, "x509_hash:abc")
    draft = Draft(TYPE, Issuer(LEAF.id, kid), {"age": 20})
    card: Credential = sdjwt.issue(draft, signer=signer, holder=holder.public, now=NOW)
    shown: Presentation = sdjwt.derive(card, disclose=Disclosure(()), challenge=challenge, holder=holder, now=NOW)
    settings = verifier(data)
    named = wiring.declaration(settings, fetch=network)
    trusted = wiring.trust(settings.anchors, None, None, named.issuers)
    judge = wiring.verifier(trusted, fetch=network, settings=settings, named=named)
    policy = Policy(trust=trusted, types=frozenset({TYPE}))
    result = judge.verify(shown, challenge=challenge, policy=policy, now=NOW)
    return {finding.check: finding for finding in result.findings}


def test_a_verifier_finds_a_members_key_in_the_federation_and_nowhere_else(data: Path) -> None:
    network = federations.world(LEAF, ANCHOR)
    good = verified(network, data, signer=LEAF.protocol, kid=LEAF.protocol.kid)
    assert good[Check.SIGNATURE].outcome is Outcome.PASS
    assert good[Check.SIGNATURE].evidence["method"] == "federation"
    assert (good[Check.TRUST].outcome, good[Check.TRUST].code) == (Outcome.PASS, "trust.federated")
    # A thief of the member's web server publishes a key there: nobody asks.
    thief = SoftwareSigner.generate("ES256")
    metadata = write_json({"issuer": LEAF.id, "jwks": federations.jwks(thief)})
    network.world[f"{LEAF.id}/.well-known/jwt-vc-issuer"] = Response(200, "", {}, metadata)  # type: ignore[index]
    bad = verified(network, data, signer=thief, kid=thief.kid)
    assert bad[Check.SIGNATURE].outcome is Outcome.FAIL
    assert bad[Check.TRUST].outcome is Outcome.FAIL
    renamed = verified(network, data, signer=thief, kid=LEAF.protocol.kid)
    assert renamed[Check.SIGNATURE].outcome is Outcome.FAIL
    assert not any(url.endswith("jwt-vc-issuer") for _, url in network.calls)


def test_without_the_federation_nobody_knows(data: Path) -> None:
    found = verified(InMemoryFetch({}), data, signer=LEAF.protocol, kid=LEAF.protocol.kid)
    assert found[Check.SIGNATURE].outcome is Outcome.UNKNOWN
    assert (found[Check.TRUST].outcome, found[Check.TRUST].code) == (Outcome.UNKNOWN, "trust.list_unavailable")


def test_keys_of_all_others_are_found_as_before(data: Path) -> None:
    named = wiring.declaration(verifier(data), fetch=InMemoryFetch({}))
    keys = named.keys(Keys(InMemoryFetch({})))
    key = SoftwareSigner.generate("ES256").public
    certified = PARTNER.certify(key)
    assert keys.issuer_key(Issuer(None, None, (certified,)), alg="ES256", now=NOW).method == "x5c"
