"""Every form of the card at the verifier: asked for, answered, judged, shown; and what is wrong found in each."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from ssi import oid4vp
from ssi.bbs import BbsSigner
from ssi.dids import key as did_key
from ssi.keys import Signer, SoftwareSigner
from ssi.model import Issuer, Opened, Outcome, Presentation
from ssi.oid4vp import AuthorizationRequest
from tests.ssi.drafts import EXAMPLES
from tests.ssi.holdings import PORTRAIT
from tests.support import NOW
from tests.verifier import forms
from tests.verifier.forms import BITSTRING, DID_DOCUMENT, FORMS, SPOIL, Form
from tests.verifier.world import CLAIMS, LIST, PERSON, Wallet, World
from verifier.policy import MustEqual, values
from verifier.shown import Shown
from verifier.web.data import rows

every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
by_template = pytest.mark.parametrize("form", [one for one in FORMS if one.query_id], ids=lambda form: form.name)
by_did = pytest.mark.parametrize(
    "form", [one for one in FORMS if one.format not in ("dc+sd-jwt", "mso_mdoc")], ids=lambda form: form.name
)
NAMES = (("given_name",), ("family_name",), ("birthdate",))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("facet")


@pytest.fixture
def world(folder: Path) -> World:
    return forms.connect(World(folder))


@pytest.fixture
def client(world: World) -> Iterator[FlaskClient]:
    with world.app().test_client(use_cookies=False) as made:
        yield made


@pytest.fixture
def wallet(world: World, client: FlaskClient) -> Wallet:
    return Wallet(world, client.application.test_client(use_cookies=False))


class Asked:
    """A request for names, asked of one form."""

    def __init__(self, world: World, client: FlaskClient, wallet: Wallet, form: Form, **body: Any) -> None:
        self.world, self.client, self.wallet, self.form = world, client, wallet, form
        self.query_id = form.query_id or "own"
        own = {"credentials": [{**form.asked("own"), "claims": [{"path": form.path(*path)} for path in NAMES]}]}
        query = {"template": "identity"} if form.query_id else {"dcql_query": own}
        self.made = self._json("post", "/api/requests", json={**query, "response_mode": "direct_post", **body})
        self.request: AuthorizationRequest = wallet.open(self.made["link"])

    def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answered = getattr(self.client, method)(path, headers=self.world.authorized, **more)
        assert answered.status_code in (200, 201), answered.text
        told: dict[str, Any] = answered.json
        return told

    def shown(self, **more: Any) -> Presentation:
        return forms.show(self.world, self.form, oid4vp.challenge(self.request), *NAMES, **more)

    def told(self, presentation: Presentation | str) -> dict[str, Any]:
        """What the verifier makes of it."""
        wire = presentation if isinstance(presentation, str) else presentation.wire
        sent = forms.answer(self.request, self.query_id, Presentation(self.form.format, wire))
        self.wallet.post(self.request, sent)
        return self._json("get", f"/api/requests/{self.made['id']}")


def stranger(form: Form) -> Signer:
    """Somebody else who can sign this form."""
    return BbsSigner.generate(random=secrets.token_bytes) if form.is_bbs else SoftwareSigner.generate("ES256")


def failed(told: dict[str, Any]) -> set[str]:
    assert told["verdict"] == "not_verified", told["findings"]
    assert "claims" not in told
    return {one["check"] for one in told["findings"] if one["outcome"] == "fail"}


def codes(told: dict[str, Any], outcome: str) -> set[str]:
    return {one["code"] for one in told["findings"] if one["outcome"] == outcome}


@pytest.mark.parametrize("mode", ["direct_post", "direct_post.jwt"])
@every_form
def test_each_form_is_verified_and_only_what_was_asked_is_kept(
    world: World, client: FlaskClient, wallet: Wallet, form: Form, mode: str
) -> None:
    asked = Asked(world, client, wallet, form, response_mode=mode)
    told = asked.told(asked.shown())
    assert told["verdict"] == "verified", told["findings"]
    claims: Any = {"given_name": "Eileen", "family_name": "Collins", "birthdate": "1956-11-19"}
    for name in reversed(form.root):
        claims = {name: claims}
    assert told["claims"] == {asked.query_id: [claims]}
    page = client.get(f"/requests/{asked.made['id']}", headers={"Accept": "text/html", **world.authorized})
    if page.status_code == 200:
        assert "Eileen" in page.text


@by_template
def test_rules_that_start_at_the_subject_decide_in_every_form(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    asked = Asked(world, client, wallet, form, template="over-18")
    shown = forms.show(world, form, oid4vp.challenge(asked.request), ("age_over_18",))
    told = asked.told(shown)
    assert told["verdict"] == "verified", told["findings"]
    assert "rule.equal" in codes(told, "pass")
    if form.hides or form.format == "mso_mdoc":
        assert b"Collins" not in shown.wire.encode()
    rules = [{"path": ["age_over_18"], "equals": False}]
    young = Asked(world, client, wallet, form, template="over-18", policy={"rules": rules})
    told = young.told(forms.show(world, form, oid4vp.challenge(young.request), ("age_over_18",)))
    assert failed(told) == {"rule"}


@by_template
def test_parts_that_templates_ask_for_are_answered_in_every_form(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    for template, paths in (
        ("nationality", [("nationalities", None)]),
        ("document", [("given_name",), ("family_name",), *(("document", name) for name in
                      ("type", "number", "issuing_country", "expiry_date"))]),
        ("face-checked", [("given_name",), ("family_name",), ("biometric_evidence",)]),
    ):  # fmt: skip
        asked = Asked(world, client, wallet, form, template=template)
        told = asked.told(forms.show(world, form, oid4vp.challenge(asked.request), *paths))
        assert told["verdict"] == "verified", (template, told["findings"])


@every_form
def test_a_tampered_one_is_refused_for_its_signature(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    asked = Asked(world, client, wallet, form)
    told = asked.told(SPOIL[form.format](asked.shown().wire))
    assert failed(told) & {"signature", "holder_binding", "format"}
    assert "given_name" not in str(told["findings"])


@pytest.mark.parametrize("form", [one for one in FORMS if one.format != "mso_mdoc"], ids=lambda form: form.name)
def test_a_strangers_signature_is_refused(world: World, client: FlaskClient, wallet: Wallet, form: Form) -> None:
    """Of mobile documents too: there the certificate would be another, see `test_mdoc_traps`."""
    asked = Asked(world, client, wallet, form)
    false = forms.card(world, form, signer=stranger(form))
    assert failed(asked.told(asked.shown(credential=false))) >= {"signature"}


@by_did
def test_an_issuer_nobody_trusts_is_refused(world: World, client: FlaskClient, wallet: Wallet, form: Form) -> None:
    asked = Asked(world, client, wallet, form)
    other = stranger(form)
    did = did_key.from_public(other.public)
    false = forms.card(world, form, signer=other, issuer=Issuer(did, kid=did_key.url(other.public)))
    assert failed(asked.told(asked.shown(credential=false))) == {"trust"}


@every_form
def test_somebody_elses_card_is_refused(world: World, client: FlaskClient, wallet: Wallet, form: Form) -> None:
    """Who copies a presentation, or signs one for a card of somebody else, is found out."""
    first, second = (Asked(world, client, wallet, form) for _ in range(2))
    assert "holder_binding" in failed(second.told(first.shown()))


@every_form
def test_an_answer_made_for_another_asker_is_refused(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    asked = Asked(world, client, wallet, form)
    challenge = oid4vp.challenge(asked.request)
    other = replace(challenge, audience="x509_hash:somebody-else")
    assert "holder_binding" in failed(asked.told(forms.show(world, form, other, *NAMES)))
    if form.format == "mso_mdoc":
        for change in ({"response_uri": "https://elsewhere.test/answer"}, {"response_key": bytes(32)}):
            again = Asked(world, client, wallet, form)
            bent = replace(oid4vp.challenge(again.request), **change)
            assert "holder_binding" in failed(again.told(forms.show(world, form, bent, *NAMES)))


@every_form
def test_an_expired_one_is_refused(world: World, client: FlaskClient, wallet: Wallet, form: Form) -> None:
    asked = Asked(world, client, wallet, form)
    over = forms.card(world, form, valid_until=world.clock() - timedelta(minutes=30))
    assert failed(asked.told(asked.shown(credential=over))) == {"validity"}


@pytest.mark.parametrize("form", [one for one in FORMS if one.format != "jwt_vc_json"], ids=lambda form: form.name)
def test_a_withdrawn_one_is_refused_and_a_list_out_of_reach_is_no_answer(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    where = LIST if form.format in ("dc+sd-jwt", "mso_mdoc") else BITSTRING
    kept = world.pages.pop(where)
    asked = Asked(world, client, wallet, form)
    told = asked.told(asked.shown())
    assert told["verdict"] == "could_not_check"
    assert {one["check"] for one in told["findings"] if one["outcome"] == "unknown"} == {"status"}
    world.pages[where] = kept
    world.revoked.add(7)
    world.clock.move(seconds=30)
    asked = Asked(world, client, wallet, form)
    assert codes(asked.told(asked.shown()), "fail") == {"status.revoked"}


@by_did
def test_an_issuer_out_of_reach_is_neither_yes_nor_no(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    del world.pages[DID_DOCUMENT]
    asked = Asked(world, client, wallet, form)
    told = asked.told(asked.shown())
    assert told["verdict"] == "could_not_check", told["findings"]
    unknown = {one["check"] for one in told["findings"] if one["outcome"] == "unknown"}
    assert "signature" in unknown
    assert "claims" not in told


@by_template
def test_another_kind_of_card_is_refused(world: World, client: FlaskClient, wallet: Wallet, form: Form) -> None:
    asked = Asked(world, client, wallet, form)
    club: dict[str, Any] = {"type": "urn:facet:credential:club-card:1"}
    if form.format == "ldp_vc":
        club = {"type": "ClubCard", "document": {"@context": [forms.CONTEXT, EXAMPLES]}}
    other = forms.card(world, form, **club)
    assert failed(asked.told(asked.shown(credential=other))) >= {"type", "rule"}


@pytest.mark.parametrize("form", [one for one in FORMS if one.format == "ldp_vc"], ids=lambda form: form.name)
def test_the_same_word_for_another_type_is_refused(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    """`type` is only a word: what counts is what the contexts make of it (OpenID4VP 1.0 B.1.1)."""
    asked = Asked(world, client, wallet, form)
    hides = tuple(path for path in form.hides if path != ("document", "type"))
    other = forms.card(world, form, document={"@context": [EXAMPLES]}, disclosable=hides)
    assert codes(asked.told(asked.shown(credential=other)), "fail") == {"dcql.meta"}


@pytest.mark.parametrize("form", [one for one in FORMS if one.format == "ldp_vc"], ids=lambda form: form.name)
def test_a_rule_about_the_first_of_a_set_is_a_rule_about_all_of_it(
    world: World, client: FlaskClient, wallet: Wallet, form: Form
) -> None:
    """Statements have no order: a holder could put any of them first, and nobody would see it."""
    for index, path in enumerate(({"path": ["nationalities", 0]}, {"path": ["nationalities", 1]})):
        rules = [{**path, "equals": ("US", "IE")[index]}]
        asked = Asked(world, client, wallet, form, template="nationality", policy={"rules": rules})
        told = asked.told(forms.show(world, form, oid4vp.challenge(asked.request), ("nationalities", None)))
        assert failed(told) == {"rule"}
    own = forms.card(world, form, claims={**CLAIMS, "nationalities": ["IE"]})
    rules = [{"path": ["nationalities", 0], "equals": "IE"}]
    asked = Asked(world, client, wallet, form, template="nationality", policy={"rules": rules})
    shown = forms.show(world, form, oid4vp.challenge(asked.request), ("nationalities", None), credential=own)
    assert asked.told(shown)["verdict"] == "verified"


def test_a_rule_counts_every_namespace_that_has_the_claim() -> None:
    two = {"org.one": {"age_over_18": True}, "org.two": {"age_over_18": False}}
    opened = Opened("mso_mdoc", PERSON, Issuer(None), two, ())
    assert values(opened, ("age_over_18",)) == (True, False)
    assert values(opened, ("org.one", "age_over_18")) == (True,)
    assert MustEqual(("age_over_18",), value=True).judge(opened, now=NOW).outcome is Outcome.FAIL


@pytest.mark.parametrize("path", [[PERSON], [PERSON, "document", "number"], [PERSON, None], [PERSON, 0]])
def test_a_question_that_no_mobile_document_can_answer_is_not_asked(
    world: World, client: FlaskClient, path: Any
) -> None:
    form = next(one for one in FORMS if one.format == "mso_mdoc")
    query = {"credentials": [{**form.asked("own"), "claims": [{"path": path}]}]}
    refused = client.post("/api/requests", json={"dcql_query": query}, headers=world.authorized)
    assert (refused.status_code, refused.json["error"]) == (400, "request.path")


@pytest.mark.parametrize("form", [one for one in FORMS if one.query_id], ids=lambda form: form.name)
def test_a_result_page_names_claims_and_shows_no_picture_as_text(form: Form) -> None:
    claims: Any = {
        "given_name": "Eileen",
        "portrait": PORTRAIT,
        "document": {"number": "X1", "issueDate": "2020-01-01"},
    }
    for name in reversed(form.root):
        claims = {name: claims}
    assert rows(Shown("q", form.format, PERSON, "Desk", None, claims)) == [
        ("Given name", "Eileen"),
        ("Portrait", "A picture (3 kB)"),
        ("Document number", "X1"),
        ("Document: issue date", "2020-01-01"),
    ]


def test_the_order_in_which_a_query_names_types_says_nothing(world: World, client: FlaskClient, wallet: Wallet) -> None:
    form = next(one for one in FORMS if one.name == "ldp_vc-ecdsa-sd")
    types = ["https://www.w3.org/2018/credentials#VerifiableCredential", forms.IRI]
    for meta in (types, types[::-1]):
        query = {**form.asked("own"), "meta": {"type_values": [meta]}, "claims": [{"path": form.path("given_name")}]}
        made = client.post(
            "/api/requests",
            json={"dcql_query": {"credentials": [query]}, "response_mode": "direct_post"},
            headers=world.authorized,
        ).json
        assert made is not None
        request = wallet.open(made["link"])
        shown = forms.show(world, form, oid4vp.challenge(request), ("given_name",))
        wallet.post(request, forms.answer(request, "own", shown))
        told = client.get(f"/api/requests/{made['id']}", headers=world.authorized).json
        assert told is not None
        assert told["verdict"] == "verified", told["findings"]
