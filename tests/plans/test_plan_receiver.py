"""The wallet's two plans of receiving: does ours get its card from any right issuer, and stop at a wrong one?

As the suite's mock issuer does: it checks all that the wallet sends, and answers as the standards allow, or bends one
thing. The card is an SD-JWT VC or an mdoc; in the HAIP plan the wallet keeps to that profile and is attested.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from ssi.fetch import Response
from tests.holder.bureau import Bureau
from tests.holder.test_holder_asks import changed
from tests.holder.test_holder_formats import FormIssuer
from tests.holder.town import ISSUER, WALLET, Person, Town
from tests.plans.asking import MDOC, SD_JWT
from tests.verifier.forms import SPOIL


@dataclass
class MockIssuer(Bureau, FormIssuer):
    """An issuer of the card in either format, which may answer in other words than ours would."""

    token_changes: dict[str, Any] = field(default_factory=dict)
    """Members of the token response to change; None leaves one out."""
    server_changes: dict[str, Any] = field(default_factory=dict)
    scheme: str = "DPoP"
    """How it writes the scheme where it asks for a nonce."""

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        answer = super().__call__(method, url, headers, body)
        said = answer.headers.get("www-authenticate")
        if said is None:
            return answer
        spelt = {**answer.headers, "www-authenticate": said.replace("DPoP", self.scheme)}
        return Response(answer.status, answer.url, spelt, answer.body)

    def _answer(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Any:
        said = super()._answer(path, method, headers, body)
        return {**said, **self.server_changes} if path == "/.well-known/oauth-authorization-server" else said

    def _token(self, headers: Mapping[str, str], body: bytes) -> Any:
        said = {**super()._token(headers, body), **self.token_changes}
        return {name: one for name, one in said.items() if one is not None}


@dataclass
class Reception:
    """Ada, whose wallet gets a card from an issuer that it has never met."""

    town: Town
    issuer: MockIssuer
    person: Person

    def begin(self, *, by_offer: bool = True) -> str:
        """Where her browser is sent to sign in: after an offer, or after she named the issuer herself."""
        if by_offer:
            place = self.person.open(self.issuer.link)
        else:
            self.issuer.issuer_state = None
            place = self.person.post("/add/choose", issuer=ISSUER, card="person").json["next"]
        self.place = place
        answer = self.person.post(f"{place}/sign-in")
        assert answer.status_code == 200, answer.json
        return str(answer.json["offer"]["sign_in"]["url"])

    def back(self, home: str) -> Any:
        return self.person.get(home.removeprefix(WALLET))

    def received(self, *, by_offer: bool = True) -> dict[str, Any]:
        """The whole way to the card."""
        answer = self.back(self.issuer.visit(self.begin(by_offer=by_offer)))
        assert answer.status_code == 200, answer.json
        return dict(answer.json["offer"])

    def settled(self, offer: Mapping[str, Any]) -> None:
        """The card is kept, and it is the right one."""
        assert offer["stage"] == "settled", offer
        (card,) = self.person.cards()
        assert (card["person"], card["format"]) == ("Eileen Collins", self.issuer.form.format)
        shown = {one["check"]: one["outcome"] for kept in offer["cards"] for one in kept["findings"]}
        wanted = ("format", "type", "signature", "holder_binding", "validity", "trust")
        assert {name: shown[name] for name in wanted} == dict.fromkeys(wanted, "pass")

    def calls(self, *names: str) -> list[str]:
        return [name for name, _, _ in self.issuer.seen if name in names]


@pytest.fixture(params=[SD_JWT, MDOC], ids=["sd_jwt_vc", "mdoc"])
def form(request: pytest.FixtureRequest) -> Any:
    return request.param


def reception(minted: Path, folder: Path, form: Any, *, haip: bool) -> Reception:
    town = Town(Path(shutil.copytree(minted, folder / "town")))
    issuer = MockIssuer(town.folder, town.clock, form=form, attestation=True)
    town.issuer = town.world[ISSUER] = issuer
    person = Person.joins(town.app(), "Ada")
    changed(person, haip=haip)
    return Reception(town, issuer, person)


@pytest.fixture(params=[False, True], ids=["plain", "haip"])
def desk(request: pytest.FixtureRequest, minted: Path, tmp_path: Path, form: Any) -> Reception:
    return reception(minted, tmp_path, form, haip=request.param)


@pytest.fixture
def strict(minted: Path, tmp_path: Path, form: Any) -> Reception:
    """A wallet of HAIP alone: for modules that only that plan has."""
    return reception(minted, tmp_path, form, haip=True)


# --- what must succeed ------------------------------------------------------------------------------------------------


@pytest.mark.module(
    "oid4vci-1_0-wallet-test-credential-issuance", "fapi2-security-profile-final-client-test-happy-path"
)
@pytest.mark.parametrize("by_offer", [True, False], ids=["issuer-began", "wallet-began"])
def test_a_card_is_received(desk: Reception, by_offer: bool) -> None:
    url = desk.begin(by_offer=by_offer)
    assert set(dict(parse_qsl(urlsplit(url).query))) == {"client_id", "request_uri"}
    (query,) = desk.issuer.pushed.values()
    assert query.issuer_state == desk.issuer.issuer_state
    answer = desk.back(desk.issuer.visit(url))
    desk.settled(answer.json["offer"])
    assert set(desk.issuer.bound.values()) != {None}  # a token for one key (RFC 9449)


@pytest.mark.module("oid4vci-1_0-wallet-test-credential-issuance")
def test_a_card_is_received_encrypted(desk: Reception) -> None:
    desk.issuer.encrypts = "required"
    desk.settled(desk.received())


@pytest.mark.module("oid4vci-1_0-wallet-test-credential-issuance")
@pytest.mark.parametrize("encrypts", [None, "required"], ids=["in-clear", "encrypted"])
def test_a_card_is_received_later(desk: Reception, encrypts: str | None) -> None:
    """§9: asked for again once the interval has passed."""
    desk.issuer.hold, desk.issuer.encrypts = 2, encrypts
    offer = desk.received()
    assert offer["stage"] == "waiting"
    assert desk.person.cards() == []
    for _ in range(2):
        desk.town.clock.move(seconds=desk.issuer.interval + 1)
        offer = desk.person.post(f"{desk.place}/accept").json["offer"]
    desk.settled(offer)


@pytest.mark.module("oid4vci-1_0-wallet-test-credential-issuance-notification")
def test_the_issuer_is_told_that_the_card_was_kept(desk: Reception) -> None:
    desk.settled(desk.received())
    (note,) = desk.issuer.told
    assert (note.event, note.id) == ("credential_accepted", f"note-{desk.issuer.issued}")


@pytest.mark.module("oid4vci-1_0-wallet-test-credential-issuance-notification")
def test_the_issuer_is_told_that_the_card_was_not_kept(desk: Reception) -> None:
    desk.issuer.bend = SPOIL[desk.issuer.form.format]
    desk.received()
    assert desk.person.cards() == []
    assert [note.event for note in desk.issuer.told] == ["credential_failure"]


@pytest.mark.module("oid4vci-1_0-wallet-happy-path-with-scopes-without-authorization-details-in-token-response")
def test_a_scope_alone_is_enough(desk: Reception) -> None:
    """The token names no identifiers: the wallet asks by the configuration's name (§8.2)."""
    desk.issuer.scope, desk.issuer.identifiers = "person-card", ()
    url = desk.begin()
    (query,) = desk.issuer.pushed.values()
    assert (query.scope, query.details) == (("person-card",), None)
    desk.settled(desk.back(desk.issuer.visit(url)).json["offer"])


@pytest.mark.module("oid4vci-1_0-wallet-test-client-attestation-challenge")
def test_the_wallet_proves_its_attestation_with_the_servers_challenge(desk: Reception) -> None:
    """The issuer refuses every proof of possession without a challenge of its own, and takes each once."""
    desk.settled(desk.received())
    assert desk.calls("challenge")
    assert desk.calls("par", "token") == ["par", *desk.calls("token")]
    assert len(desk.issuer.instances) == 1


@pytest.mark.module("oid4vci-1_0-wallet-test-batch-credential-issuance")
def test_a_batch_may_come_in_any_order(desk: Reception) -> None:
    """In reverse; each card is matched to its key by what it says (§8.3)."""
    desk.issuer.batch, desk.issuer.backwards = 10, True
    desk.settled(desk.received())
    assert 1 < len(desk.issuer.holders) <= 10
    assert len(set(desk.issuer.holders)) == len(desk.issuer.holders)
    (card,) = desk.person.cards()
    copies = desk.person.get(f"/cards/{card['id']}").json["card"]["copies"]
    assert copies == {"all": len(desk.issuer.holders), "unused": len(desk.issuer.holders)}


@pytest.mark.module(
    "fapi2-security-profile-final-client-test-token-endpoint-response-without-expires_in",
    "fapi2-security-profile-final-client-test-token-type-case-insensitivity",
    "fapi2-security-profile-final-client-test-rs-dpop-auth-scheme-case-insensitivity",
    "fapi2-security-profile-final-client-test-happy-path-no-dpop-nonce",
)
@pytest.mark.parametrize(
    "way",
    [
        {"token_changes": {"expires_in": None}},
        {"token_changes": {"token_type": "dpOp"}},
        {"scheme": "dpOp"},
        {"nonces_wanted": False},
    ],
    ids=["no-expires_in", "token_type", "scheme", "no-nonce"],
)
def test_what_servers_may_say_otherwise_is_understood(strict: Reception, way: dict[str, Any]) -> None:
    for name, value in way.items():
        setattr(strict.issuer, name, value)
    strict.settled(strict.received())
    if "scheme" in way:
        assert "issuer" in strict.issuer.retried  # it was asked for the nonce in that spelling
    if "nonces_wanted" in way:
        assert strict.issuer.retried == []


# --- what must stop the wallet ----------------------------------------------------------------------------------------


@pytest.mark.module("fapi2-security-profile-final-client-test-discovery-issuer-mismatch")
def test_a_server_that_calls_itself_otherwise_is_refused(strict: Reception) -> None:
    strict.issuer.server_changes = {"issuer": "https://another-server.test"}
    answer = strict.person.post("/open", link=strict.issuer.link)
    assert (answer.status_code // 100, answer.json["error"]) == (4, "oid4vci.metadata_issuer"), answer.json
    assert strict.calls("par", "token") == []


def bent(home: str, **changes: str | None) -> str:
    """The address that leads back to the wallet, with other parameters; None leaves one out."""
    pairs: dict[str, str | None] = {**dict(parse_qsl(urlsplit(home).query)), **changes}
    return f"{WALLET}/authorized?{urlencode({name: one for name, one in pairs.items() if one is not None})}"


@pytest.mark.module(
    "fapi2-security-profile-final-client-test-invalid-authorization-response-iss",
    "fapi2-security-profile-final-client-test-remove-authorization-response-iss",
    "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-state-fails",
    "fapi2-security-profile-final-client-test-ensure-authorization-response-with-invalid-missing-state-fails",
)
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": "https://another-server.test"}, "oauth.iss"),
        ({"iss": None}, "oauth.iss"),
        ({"state": "another-state"}, "oauth.state"),
        ({"state": None}, "oauth.state"),
    ],
    ids=["iss", "no-iss", "state", "no-state"],
)
def test_an_answer_that_is_not_the_servers_to_this_request_is_refused(
    strict: Reception, change: dict[str, str | None], code: str
) -> None:
    home = strict.issuer.visit(strict.begin())
    seen = len(strict.issuer.seen)
    answer = strict.back(bent(home, **change))
    assert (answer.status_code, answer.json["error"]) == (403, code)
    assert len(strict.issuer.seen) == seen  # no other endpoint was called
    assert strict.person.cards() == []
