"""All the ways in which a wallet can be asked: transactions, several cards, fragments, pages, attesters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from click.testing import CliRunner, Result

from ssi import dcql, oid4vp
from ssi.dids import key as did_keys
from ssi.encoding import b64url, read_json_object, unb64url
from ssi.errors import Malformed, SsiError
from ssi.fetch import Response
from ssi.formats import sdjwt
from ssi.issuerkeys import Keys
from ssi.jose import jws
from ssi.jose.jwe import DecryptionKey
from ssi.keys import SoftwareSigner
from ssi.model import Check, Finding, Issuer, Opened, Outcome, Presentation
from ssi.oid4vp import attestation, transactions
from ssi.trust import x509
from ssi.trust.policies import Issuers, any_of
from tests.holder.town import AGE_QUERY, CLAIMS, PASSPHRASE, PERSON, SHOP, FakeAsker, Person, Town, json_response
from tests.support import InMemoryFetch
from wallet.holder import present
from wallet.holder.cli import main
from wallet.holder.outside import Outside
from wallet.holder.web.access import Holder

KEY = DecryptionKey.generate()
BACK = f"{SHOP}/back?session=1"


def card(name: str = "person", *paths: list[Any], **more: Any) -> dict[str, Any]:
    claims = {"claims": [{"path": path} for path in paths]} if paths else {}
    return {"id": name, "format": "dc+sd-jwt", "meta": {"vct_values": [PERSON]}, **claims, **more}


def query(*cards: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"credentials": list(cards), **more}


@dataclass
class Asker(FakeAsker):
    """An asker that a test may bend in every parameter, and that can be asked by post."""

    changes: dict[str, Any] = field(default_factory=dict)
    told: list[dict[str, str]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    encrypts: bool = True
    raw: Mapping[str, Any] = field(default_factory=dict)
    identity: oid4vp.RequestSigner | None = None

    @property
    def client_id(self) -> str:
        return self.identity.client_id if self.identity else oid4vp.x509_hash_client_id(self.chain[0])

    @property
    def request(self) -> oid4vp.AuthorizationRequest:
        base = oid4vp.AuthorizationRequest(
            client_id=self.client_id,
            nonce=self.nonce,
            response_uri=f"{SHOP}/answer",
            response_mode=oid4vp.DIRECT_POST,
            query=dcql.parse(self.query),
            state="state-of-the-shop",
            purpose=self.purpose,
        )
        return replace(base, **self.changes)

    @property
    def signer_of(self) -> oid4vp.RequestSigner:
        return self.identity or oid4vp.RequestSigner(self.client_id, self.signer, tuple(self.chain))

    def __call__(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Response:
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if url == f"{SHOP}/request":
            self.forms.append(form)
            token = self._token(form)
            return Response(200, url, {"content-type": oid4vp.REQUEST_MEDIA_TYPE}, token.encode())
        (self.told if "error" in form else self.received).append(form)
        return json_response(200, {"redirect_uri": self.redirect_uri} if self.redirect_uri else {})

    def _token(self, form: Mapping[str, str]) -> str:
        call = oid4vp.read_wallet_call(form)
        nonce = {"wallet_nonce": call.nonce} if call.nonce else {}
        claims = {**self.request.parameters(), "aud": "https://self-issued.me/v2", **nonce, **self.raw}
        said = {name: value for name, value in claims.items() if value is not None}
        token = jws.sign(said, signer=self.signer_of.signer, header=self.signer_of.header())
        return oid4vp.encrypt_request(token, call.metadata) if self.encrypts else token

    def answered(self, form: Mapping[str, str] | None = None) -> dict[str, tuple[Opened, ...]]:
        """What arrived, each presentation verified against its own challenge: all findings pass."""
        given = self.received[-1] if form is None else form
        answer = oid4vp.read_response(given, response_mode=self.request.response_mode, keys=(KEY,))
        assert answer.vp_token is not None
        assert answer.state == self.request.state
        return verified(self.request, answer.vp_token, self.clock())


def verified(
    request: oid4vp.AuthorizationRequest, token: Mapping[str, Any], now: datetime
) -> dict[str, tuple[Opened, ...]]:
    keys, found = Keys(InMemoryFetch({})), {}
    for name, bound in oid4vp.challenges(request, token).items():
        pairs = zip(token[name], bound, strict=True)
        opened = [sdjwt.open(Presentation("dc+sd-jwt", w), challenge=c, keys=keys, now=now) for w, c in pairs]
        assert {one.outcome for each in opened for one in each.findings} == {Outcome.PASS}
        found[name] = tuple(opened)
    return found


@pytest.fixture
def shop(town: Town) -> Asker:
    asker = Asker(town.folder, town.clock)
    town.shop = asker
    town.world[SHOP] = asker
    return asker


@pytest.fixture
def holder(town: Town, shop: Asker, ada: Person) -> Person:
    ada.accepts(town)
    return ada


def changed(person: Person, **changes: Any) -> None:
    """Bend what the wallet knows of the world."""
    app = person.client.application
    wallet: Holder = app.extensions["holder"]
    app.extensions["holder"] = replace(wallet, outside=replace(wallet.outside, **changes))


# transactions


def pay(*ids: str, **more: str) -> str:
    members = {"payee": "Wine & Co", "amount": "12.50", "currency": "EUR", "reference": "Order 7", **more}
    return transactions.make(transactions.PAYMENT, ids or ("person",), members)


def test_a_transaction_is_shown_agreed_to_bound_and_remembered(shop: Asker, holder: Person) -> None:
    shop.changes = {"transaction_data": (pay(),)}
    place = holder.open(shop.link)
    asked = holder.get(place).json["request"]
    assert asked["transactions"] == [
        {
            "type": transactions.PAYMENT,
            "title": "A payment",
            "lines": [["Amount", "12.50 EUR"], ["To", "Wine & Co"], ["Reference", "Order 7"]],
        }
    ]
    page = holder.page(place).get_data(as_text=True)
    for text in ("You authorise", "A payment", "12.50 EUR", "Wine &amp; Co", "Order 7", "Authorise and share"):
        assert text in page
    holder.post(f"{place}/share")
    assert shop.answered()["person"][0].claims["given_name"] == "Eileen"
    proof = jws.parse(read_json_object(shop.received[-1]["vp_token"])["person"][0].rpartition("~")[2], typ=None)
    assert len(proof.claims["transaction_data_hashes"]) == 1
    full = holder.get(f"/history/{holder.history()[0]['id']}").json["event"]
    assert full["detail"] == "You authorised: A payment (Amount: 12.50 EUR; To: Wine & Co; Reference: Order 7)."


def test_only_one_of_two_cards_authorizes(shop: Asker, holder: Person) -> None:
    shop.query = query(card("a", ["given_name"]), card("b", ["age_over_18"]))
    shop.changes = {"transaction_data": (pay("b", "a"),)}
    holder.post(f"{holder.open(shop.link)}/share")
    token = read_json_object(shop.received[-1]["vp_token"])
    covers = {
        name: "transaction_data_hashes" in jws.parse(one[0].rpartition("~")[2], typ=None).claims
        for name, one in token.items()
    }
    assert covers == {"a": False, "b": True}
    assert set(shop.answered()) == {"a", "b"}


def test_a_transaction_that_no_chosen_card_authorizes_is_not_answered(shop: Asker, holder: Person) -> None:
    shop.query = query(
        card("a", ["given_name"]),
        card("b", ["age_over_18"]),
        credential_sets=[{"options": [["a"]]}, {"options": [["b"]], "required": False}],
    )
    shop.changes = {"transaction_data": (pay("b"),)}
    place = holder.open(shop.link)
    answer = holder.post(f"{place}/share", **{"part-1": "none"})
    assert (answer.status_code, answer.json["error"]) == (403, "consent.transaction")
    assert "Nothing that you chose can authorise" in holder.send(f"{place}/share", **{"part-1": "none"}).get_data(
        as_text=True
    )
    assert shop.received == []
    assert holder.post(f"{place}/share", **{"part-1": "0"}).json["request"]["state"] == "shared"


def test_an_unknown_transaction_is_refused_and_the_asker_told_so_when_the_person_wants(
    shop: Asker, holder: Person
) -> None:
    unknown = b64url(json.dumps({"type": "urn:qes", "credential_ids": ["person"]}).encode())
    shop.raw = {"transaction_data": [unknown]}
    answer = holder.post("/open", link=shop.link)
    assert answer.json["error"] == "oid4vp.transaction_type"
    assert shop.told == []
    assert holder.post("/open/tell", link=shop.link).json == {"told": True}
    assert shop.told == [{"error": "invalid_transaction_data", "state": "state-of-the-shop"}]


# several cards


@pytest.fixture
def two_cards(town: Town, holder: Person) -> list[str]:
    town.issuer.code, town.issuer.used = "another code", False
    town.issuer.draft_changes = {"claims": {**CLAIMS, "given_name": "Pamela"}}
    holder.accepts(town)
    return [one["id"] for one in holder.cards()]


def test_several_cards_where_the_asker_takes_several(shop: Asker, holder: Person, two_cards: list[str]) -> None:
    shop.query = query(card("person", ["given_name"], multiple=True))
    place = holder.open(shop.link)
    page = holder.page(place).get_data(as_text=True)
    assert page.count('type="checkbox"') == 2
    assert "They take several cards; one is enough." in page
    answer = holder.client.post(
        f"{place}/share",
        data={"card-person": two_cards},
        headers={"Accept": "application/json"},
        base_url="https://localhost:8442",
    )
    assert answer.json["request"]["state"] == "shared"
    shown = shop.answered()["person"]
    assert {one.claims["given_name"] for one in shown} == {"Eileen", "Pamela"}
    event = holder.get(f"/history/{holder.history()[0]['id']}").json["event"]
    assert len(event["cards"]) == 2


def test_one_of_several_is_enough_and_none_is_too_few(shop: Asker, holder: Person, two_cards: list[str]) -> None:
    shop.query = query(card("person", ["given_name"], multiple=True))
    place = holder.open(shop.link)
    assert holder.post(f"{place}/share").json["error"] == "consent.incomplete"
    holder.post(f"{place}/share", **{"card-person": two_cards[1]})
    assert len(shop.answered()["person"]) == 1


def test_only_the_first_of_several_cards_authorizes(shop: Asker, holder: Person, two_cards: list[str]) -> None:
    shop.query = query(card("person", ["given_name"], multiple=True))
    shop.changes = {"transaction_data": (pay(),)}
    place = holder.open(shop.link)
    _post_json(holder, f"{place}/share", {"card-person": two_cards})
    token = read_json_object(shop.received[-1]["vp_token"])["person"]
    covers = ["transaction_data_hashes" in jws.parse(one.rpartition("~")[2], typ=None).claims for one in token]
    assert covers == [True, False]
    assert len(shop.answered()["person"]) == 2


def test_two_cards_where_one_was_asked_are_refused(shop: Asker, holder: Person, two_cards: list[str]) -> None:
    shop.query = query(card("person", ["given_name"]))
    place = holder.open(shop.link)
    answer = _post_json(holder, f"{place}/share", {"card-person": two_cards})
    assert answer["error"] == "consent.pick"
    for wrong in ([5], ["x" * 65], two_cards * 40):
        assert _post_json(holder, f"{place}/share", {"card-person": wrong})["error"] == "request.field"
    assert shop.received == []


def _post_json(person: Person, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Accept": "application/json"}
    return dict(person.client.post(path, json=body, headers=headers, base_url="https://localhost:8442").json)


# by fragment


@pytest.mark.parametrize("mode", [oid4vp.FRAGMENT, oid4vp.FRAGMENT_JWT])
def test_an_answer_by_fragment_is_carried_by_the_persons_browser(shop: Asker, holder: Person, mode: str) -> None:
    keys = (KEY.public_jwk,) if mode == oid4vp.FRAGMENT_JWT else ()
    shop.changes = {"response_mode": mode, "response_uri": None, "redirect_uri": BACK, "encryption_keys": keys}
    place = holder.open(shop.link)
    assert holder.get(place).json["request"]["who"] == {
        "name": "Facet Verifier",
        "address": "shop.test",
        "verified": True,
    }
    done = holder.post(f"{place}/share").json["request"]
    assert done["state"] == "shared"
    assert done["redirect_uri"].startswith(f"{BACK}#")
    assert shop.received == []  # nothing was posted to anybody
    form = dict(parse_qsl(urlsplit(done["redirect_uri"]).fragment))
    assert shop.answered(form)["person"][0].claims["age_over_18"] is True
    page = holder.page(place).get_data(as_text=True)
    assert f'href="{BACK}#' in page
    assert "Go on at shop.test" in page
    assert "goes to Facet Verifier when you go on" in page


def test_a_no_by_fragment_says_no(shop: Asker, holder: Person) -> None:
    shop.changes = {"response_mode": oid4vp.FRAGMENT, "response_uri": None, "redirect_uri": BACK}
    done = holder.post(f"{holder.open(shop.link)}/decline").json["request"]
    form = dict(parse_qsl(urlsplit(done["redirect_uri"]).fragment))
    assert (done["state"], form["error"], form["state"]) == ("declined", "access_denied", "state-of-the-shop")


# posted for


def test_a_request_that_is_encrypted_to_the_wallet_is_read(shop: Asker, holder: Person) -> None:
    shop.method = "post"
    place = holder.open(shop.link)
    (form,) = shop.forms
    metadata = read_json_object(form["wallet_metadata"])
    (key,) = metadata["jwks"]["keys"]
    assert (key["alg"], key["use"], key["crv"]) == ("ECDH-ES", "enc", "P-256")
    holder.open(shop.link)
    (other,) = read_json_object(shop.forms[1]["wallet_metadata"])["jwks"]["keys"]
    assert other["x"] != key["x"]  # fresh for each question
    assert shop.forms[0]["wallet_nonce"] != shop.forms[1]["wallet_nonce"]
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"
    shop.encrypts = False
    holder.post(f"{holder.open(shop.link)}/share")
    assert len(shop.received) == 2


# who asks


def attested_by(shop: Asker, attester: SoftwareSigner, **changes: Any) -> oid4vp.RequestSigner:
    key = SoftwareSigner.generate("ES256")
    did = _did_key(attester)
    given = {
        "issuer": did,
        "client": "wine.example",
        "key": key.public,
        "now": shop.clock(),
        "lifetime": timedelta(hours=1),
    }
    jwt = attestation.make(
        signer=replace(attester, name=f"{did}#{did.removeprefix('did:key:')}"), **{**given, **changes}
    )
    return oid4vp.RequestSigner("verifier_attestation:wine.example", key, attestation=jwt)


def _did_key(signer: SoftwareSigner) -> str:
    return did_keys.from_public(signer.public)


def test_an_attested_asker_is_believed_as_far_as_its_attester_is(shop: Asker, holder: Person) -> None:
    attester = SoftwareSigner.generate("ES256")
    shop.identity = attested_by(shop, attester)
    answer = holder.post("/open", link=shop.link)
    assert (answer.status_code, answer.json["error"]) == (403, "request.attester")  # §5.9.3: MUST refuse
    changed(holder, attesters=Issuers({_did_key(attester): frozenset({"another type"})}))
    assert holder.post("/open", link=shop.link).json["error"] == "request.attester"
    changed(holder, attesters=Issuers({_did_key(attester): frozenset({oid4vp.ATTESTATION_TYPE})}))
    place = holder.open(shop.link)
    who = holder.get(place).json["request"]["who"]
    assert who == {"name": "wine.example", "address": "shop.test", "verified": True}
    assert holder.post(f"{place}/share").json["request"]["state"] == "shared"


def test_whoever_may_ask_may_not_attest(shop: Asker, holder: Person) -> None:
    """A relying party's own certificate must not make it an attester of others."""
    key = SoftwareSigner.generate("ES256")
    jwt = attestation.make(
        signer=shop.signer, issuer=SHOP, x5c=shop.chain, client="bank.example", key=key.public,
        now=shop.clock(), lifetime=timedelta(hours=1),
    )  # fmt: skip
    shop.identity = oid4vp.RequestSigner("verifier_attestation:bank.example", key, attestation=jwt)
    assert holder.post("/open", link=shop.link).status_code == 403


def test_an_asker_known_beforehand_needs_no_certificate(shop: Asker, holder: Person) -> None:
    key = SoftwareSigner.generate("ES256")
    metadata = {"vp_formats_supported": {}, "jwks": {"keys": [{**key.public.jwk, "use": "sig", "kid": key.kid}]}}
    client = oid4vp.Client("wine-shop", "Wine Shop", (f"{SHOP}/answer",), (), metadata)
    shop.identity, shop.raw = oid4vp.RequestSigner("wine-shop", key), {"client_metadata": None}
    assert holder.post("/open", link=shop.link).json["error"] == "oid4vp.client_id_prefix"
    changed(holder, clients={"wine-shop": client})
    who = holder.get(holder.open(shop.link)).json["request"]["who"]
    assert who == {"name": "Wine Shop", "address": "shop.test", "verified": True}
    shop.raw = {}
    assert holder.post("/open", link=shop.link).json["error"] == "oid4vp.known_client"
    holder.post("/open/tell", link=shop.link)
    assert shop.told == [{"error": "invalid_client", "state": "state-of-the-shop"}]


def test_what_an_asker_brings_about_itself_is_shown_as_its_own_words(shop: Asker, holder: Person) -> None:
    said = {"iss": "https://registrar.test", "name": "Registered\u202eShop", "exp": 5}
    token = f"e30.{b64url(json.dumps(said).encode())}.AAAA"
    info = (
        oid4vp.VerifierInfo("jwt", token),
        oid4vp.VerifierInfo("urn:x", {"policy": "30 days"}),
        oid4vp.VerifierInfo("y", "z"),
    )
    shop.changes = {"verifier_info": info}
    place = holder.open(shop.link)
    assert holder.get(place).json["request"]["statements"] == [
        {"format": "jwt", "lines": [["iss", "https://registrar.test"], ["name", "RegisteredShop"]]},
        {"format": "urn:x", "lines": [["policy", "30 days"]]},
        {"format": "y", "lines": []},
    ]
    page = holder.page(place).get_data(as_text=True)
    assert "This wallet could not check any of it." in page
    assert "30 days" in page


# authorities and retention


class Lists:
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome

    def judge(self, kind: str, value: str, issuer: Issuer, *, now: datetime) -> Finding:
        assert issuer.x5c
        found = self.outcome if (kind, value) == ("etsi_tl", "https://list.test") else Outcome.FAIL
        return Finding(Check.TRUST, found, "test", "Test.")


@pytest.mark.parametrize(
    ("outcome", "named", "answerable"),
    [
        (Outcome.PASS, "https://list.test", True),
        (Outcome.PASS, "https://other.test", False),
        (Outcome.UNKNOWN, "https://list.test", False),
        (None, "https://list.test", False),
    ],
)
def test_a_list_that_the_asker_names_decides_which_card_answers(
    shop: Asker, holder: Person, outcome: Outcome | None, named: str, answerable: bool
) -> None:
    shop.query = query(card("person", ["given_name"], trusted_authorities=[{"type": "etsi_tl", "values": [named]}]))
    changed(holder, authorities=None if outcome is None else Lists(outcome))
    asked = holder.get(holder.open(shop.link)).json["request"]
    assert asked["answerable"] is answerable
    if not answerable:
        assert "from another issuer" in asked["missing"][0]


def test_a_request_that_cannot_be_answered_tells_the_asker_nothing(shop: Asker, holder: Person) -> None:
    shop.query = query({**card(), "meta": {"vct_values": ["urn:rare-disease"]}})
    place = holder.open(shop.link)
    assert (shop.told, shop.received) == ([], [])
    holder.post(f"{place}/decline")
    (form,) = shop.told
    shop.query = AGE_QUERY
    holder.post(f"{holder.open(shop.link)}/decline")
    assert shop.told == [form, form]  # a no is the same no, whatever the person holds


# through a page


def _outside(person: Person) -> Outside:
    wallet: Holder = person.client.application.extensions["holder"]
    return wallet.outside


def _page_call(shop: Asker, mode: str, *signers: oid4vp.RequestSigner) -> dict[str, Any]:
    keys = (KEY.public_jwk,) if mode == oid4vp.DC_API_JWT else ()
    shop.changes = {
        "response_mode": mode, "origin": SHOP, "expected_origins": (SHOP,), "encryption_keys": keys,
        "response_uri": None, "state": None, "client_id": "",
    }  # fmt: skip
    call = oid4vp.page_request(shop.request, signers=signers, now=shop.clock(), lifetime=timedelta(minutes=5))
    return dict(json.loads(json.dumps(call)))


def _cli(town: Town, call: Any, *more: str, origin: str = SHOP, yes: bool = True) -> Result:
    secret = town.folder / "passphrase"
    secret.write_text(PASSPHRASE + "\n")
    fixed = ["--origin", origin, "--account", "Ada", "--passphrase-file", str(secret), "--data", str(town.folder)]
    file = town.folder / "request.json"
    file.write_text(json.dumps(call))
    arguments = ["answer-dc", str(file), *fixed, *(["--yes"] if yes else []), *more]
    return CliRunner().invoke(main, arguments, input="n\n")


@pytest.fixture
def today(town: Town) -> None:
    """The command line's clock is the real one."""
    town.clock.at = datetime.now(UTC)


@pytest.mark.usefixtures("today")
@pytest.mark.parametrize("mode", [oid4vp.DC_API, oid4vp.DC_API_JWT])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_a_page_is_answered_on_the_command_line(town: Town, shop: Asker, ada: Person, mode: str, count: int) -> None:
    ada.accepts(town)
    other = SoftwareSigner.generate("ES256")
    did = _did_key(other)
    identities = (
        oid4vp.RequestSigner(
            f"decentralized_identifier:{did}", replace(other, name=f"{did}#{did.removeprefix('did:key:')}")
        ),
        oid4vp.RequestSigner(oid4vp.x509_hash_client_id(shop.chain[0]), shop.signer, tuple(shop.chain)),
    )
    done = _cli(town, _page_call(shop, mode, *identities[2 - count :]))
    assert done.exit_code == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["protocol"] == oid4vp.DC_PROTOCOLS[count]
    read = oid4vp.read_page_response(answer["data"], response_mode=mode, keys=(KEY,))
    assert read.vp_token is not None
    (opened,) = verified(shop.request, read.vp_token, datetime.now(UTC))["person"]
    assert opened.claims["given_name"] == "Eileen"
    who = "shop.test asks (shop.test; NOT verified)" if count == 0 else "Facet Verifier asks (shop.test; verified)"
    assert who in done.stderr  # of several identities the one that this wallet trusts
    assert "They will see: Given name: Eileen; At least 18: Yes." in done.stderr
    event = ada.history()[0]
    assert (event["what"], event["verified"]) == ("shared", count > 0)


@pytest.mark.usefixtures("today")
def test_a_page_gets_a_no_or_an_error(town: Town, shop: Asker, ada: Person) -> None:
    ada.accepts(town)
    identity = oid4vp.RequestSigner(oid4vp.x509_hash_client_id(shop.chain[0]), shop.signer, tuple(shop.chain))
    call = _page_call(shop, oid4vp.DC_API_JWT, identity)
    stolen = _cli(town, call, origin="https://evil.test")
    assert (stolen.exit_code, json.loads(stolen.stdout)["data"]) == (1, {"error": "invalid_request"})
    assert "another page" in stolen.stderr
    no = _cli(town, call, yes=False)
    assert (no.exit_code, json.loads(no.stdout)["data"]) == (1, {"error": "access_denied"})
    shop.query = query({**card(), "meta": {"vct_values": ["urn:other"]}})
    absent = _cli(town, _page_call(shop, oid4vp.DC_API_JWT, identity))
    assert (absent.exit_code, json.loads(absent.stdout)["data"]) == (1, {"error": "access_denied"})
    assert _cli(town, call, "--card", "nonsense").exit_code == 2
    assert PASSPHRASE not in no.stderr + no.stdout


@pytest.mark.usefixtures("today")
def test_a_page_is_answered_with_the_card_that_was_named(town: Town, shop: Asker, ada: Person) -> None:
    for code in ("first", "second"):
        town.issuer.code, town.issuer.used = code, False
        ada.accepts(town)
    call = _page_call(shop, oid4vp.DC_API)
    assert "--card person=" in _cli(town, call).stderr
    chosen = ada.cards()[1]["id"]
    assert _cli(town, call, "--card", f"person={chosen}").exit_code == 0
    assert _cli(town, call, "--card", "person=nobody").exit_code == 1


def test_a_page_request_is_kept_like_any_other(town: Town, shop: Asker, holder: Person) -> None:
    app = holder.client.application
    with app.test_request_context(base_url="https://localhost:8442", headers={"Cookie": _cookie(holder)}):
        from wallet.holder.web.access import vault

        opened = vault()
        call = _page_call(shop, oid4vp.DC_API)
        for origin in ("", "x" * 5000):
            with pytest.raises(SsiError):
                present.look_at_page(
                    opened, call["protocol"], call["data"], origin=origin, outside=_outside(holder), now=town.clock()
                )
        found = present.look_at_page(
            opened, call["protocol"], call["data"], origin=SHOP, outside=_outside(holder), now=town.clock()
        )
    place = f"/requests/{found.id}"
    page = holder.page(place).get_data(as_text=True)
    assert "Your browser says that the page at this address asks." in page
    done = holder.post(f"{place}/share").json["request"]
    assert set(done["answer"]) == {"vp_token"}
    assert done["redirect_uri"] is None


def _cookie(person: Person) -> str:
    found = person.client.get_cookie("__Host-facet-wallet", domain="localhost")
    assert found is not None
    return f"__Host-facet-wallet={found.value}"


# settings and profile


def test_the_profile_refuses_what_it_forbids_and_says_where(shop: Asker, holder: Person) -> None:
    changed(holder, haip=True)
    answer = holder.post("/open", link=shop.link)
    assert answer.json["error"] == "haip.response_mode"
    assert "HAIP 1.0, section 5.1" in answer.json["error_description"]
    holder.post("/open/tell", link=shop.link)
    assert shop.told == [{"error": "invalid_request", "state": "state-of-the-shop"}]
    shop.changes = {"response_mode": oid4vp.DIRECT_POST_JWT, "encryption_keys": (KEY.public_jwk,)}
    assert holder.post(f"{holder.open(shop.link)}/share").json["request"]["state"] == "shared"
    (header,) = (read_json_object(unb64url(form["response"].split(".")[0])) for form in shop.received)
    assert (header["enc"], header["kid"]) == ("A256GCM", KEY.kid)  # HAIP 1.0 §5: who has both should use it


def test_known_askers_and_attesters_are_read_from_files(town: Town, shop: Asker) -> None:
    trust = town.folder / "trust"
    key = SoftwareSigner.generate("ES256")
    metadata = {"vp_formats_supported": {}, "jwks": {"keys": [{**key.public.jwk, "use": "sig", "kid": key.kid}]}}
    entry = {"name": "Wine Shop", "redirect_uris": [f"{SHOP}/answer"], "metadata": metadata}
    (trust / "askers.json").write_text(json.dumps({"wine-shop": entry}))
    (trust / "attester-ca.pem").write_bytes((trust / "relying-party-ca.pem").read_bytes())
    ada = Person.joins(town.app(), "Ada")
    shop.identity, shop.raw = oid4vp.RequestSigner("wine-shop", key), {"client_metadata": None}
    assert ada.get(ada.open(shop.link)).json["request"]["who"]["name"] == "Wine Shop"
    other = SoftwareSigner.generate("ES256")
    jwt = attestation.make(
        signer=shop.signer,
        issuer=_name_in(shop),
        x5c=shop.chain,
        client="bank.example",
        key=other.public,
        now=shop.clock(),
        lifetime=timedelta(hours=1),
    )
    shop.identity, shop.raw = oid4vp.RequestSigner("verifier_attestation:bank.example", other, attestation=jwt), {}
    assert ada.get(ada.open(shop.link)).json["request"]["who"]["name"] == "bank.example"
    (trust / "askers.json").write_text('{"wine-shop": 5}')
    with pytest.raises(Malformed):
        town.app()


def _name_in(shop: Asker) -> str:
    leaf = x509.leaf(shop.chain)
    return f"https://{leaf.dns_names[0]}"


def test_of_several_identities_the_profile_takes_its_own(town: Town, shop: Asker, holder: Person) -> None:
    """Another that is trusted, too, and comes first, does not make the request one that the profile forbids."""
    other = SoftwareSigner.generate("ES256")
    did = _did_key(other)
    named = replace(other, name=f"{did}#{did.removeprefix('did:key:')}")
    identities = (
        oid4vp.RequestSigner(f"decentralized_identifier:{did}", named),
        oid4vp.RequestSigner(oid4vp.x509_hash_client_id(shop.chain[0]), shop.signer, tuple(shop.chain)),
    )
    call = _page_call(shop, oid4vp.DC_API_JWT, *identities)
    outside = _outside(holder)
    trusted = any_of((Issuers({did: None}), *([outside.askers] if outside.askers else [])))
    for haip, prefix in ((False, oid4vp.DID), (True, oid4vp.HASH)):
        world = replace(outside, haip=haip, askers=trusted)
        with holder.client.application.test_request_context(
            base_url="https://localhost:8442", headers={"Cookie": _cookie(holder)}
        ):
            from wallet.holder.web.access import vault

            opened = vault()
            found = present.look_at_page(
                opened, call["protocol"], call["data"], origin=SHOP, outside=world, now=town.clock()
            )
            shown = present.shown(opened, found, outside=world, now=town.clock())
        assert (shown.signed.asker.prefix, shown.verified) == (prefix, True)
