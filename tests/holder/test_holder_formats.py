"""Every form of a card in the wallet: received and inspected, shown on its page, asked for, and shared."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ssi import formats, oid4vp
from ssi.bbs import BbsSigner
from ssi.dids import multikey
from ssi.encoding import read_json_object, wire_json, wire_text, write_json
from ssi.issuerkeys import Keys
from ssi.keys import PublicKey, Signer
from ssi.model import Check, ClaimPath, Credential, Draft, Issuer, Opened, Presentation, StatusRef
from ssi.oid4vci import ClaimDescription, Configuration, CredentialResponse, Display, IssuerMetadata
from tests.holder.town import CLAIMS, DISCLOSABLE, ISSUER, PERSON, FakeIssuer, Person, Town
from tests.ssi.holdings import BESIDE, PORTRAIT
from wallet.holder.settings import WalletSettings

CONTEXT = "urn:facet:context:verified-person:1"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
TYPE = "VerifiedPersonCredential"
DID = "did:web:issuer.test"
SUBJECT = "credentialSubject"
BBS = BbsSigner.generate(random=secrets.token_bytes)
_SPLIT = tuple(path for path in DISCLOSABLE if all(isinstance(part, str) for part in path))


@dataclass(frozen=True)
class Form:
    """One form of the card: where its claims stand, and what of them can be hidden."""

    name: str
    format: str
    root: ClaimPath = (SUBJECT,)
    hides: tuple[ClaimPath, ...] = ()
    hiding: bool = True
    beside: tuple[str, ...] = ()

    @property
    def meta(self) -> dict[str, Any]:
        return {
            "dc+sd-jwt": {"vct_values": [PERSON]},
            "mso_mdoc": {"doctype_value": PERSON},
        }.get(self.format, {"type_values": [[f"urn:facet:vocab:person#{TYPE}"]]})

    @property
    def named(self) -> dict[str, Any]:
        """How the issuer's metadata names its type."""
        return {
            "dc+sd-jwt": {"vct": PERSON},
            "mso_mdoc": {"doctype": PERSON},
        }.get(self.format, {"definition": {"type": ["VerifiableCredential", TYPE]}})


FORMS = (
    Form("dc+sd-jwt", "dc+sd-jwt", (), DISCLOSABLE),
    Form("ldp_vc-ecdsa-sd", "ldp_vc", hides=_SPLIT),
    Form("ldp_vc-bbs", "ldp_vc", hides=_SPLIT),
    Form("ldp_vc", "ldp_vc", hiding=False, beside=("evidence", "termsOfUse", "name", "id")),
    Form("mso_mdoc", "mso_mdoc", (PERSON,)),
    Form("vc+jwt", "vc+jwt", hiding=False, beside=("evidence", "termsOfUse", "name", "id")),
    Form("vc+sd-jwt", "vc+sd-jwt", hides=DISCLOSABLE, beside=("evidence", "name")),
    Form("vc+cose", "vc+cose", hiding=False),
    Form("jwt_vc_json", "jwt_vc_json", hiding=False),
)
every_form = pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
every_hiding = pytest.mark.parametrize("form", [one for one in FORMS if one.hiding], ids=lambda form: form.name)
every_open = pytest.mark.parametrize("form", [one for one in FORMS if not one.hiding], ids=lambda form: form.name)
SAID: Mapping[str, Any] = {**CLAIMS, "portrait": PORTRAIT}


@dataclass
class FormIssuer(FakeIssuer):
    """An issuer of the card in one form, by its certificate or by its DID."""

    form: Form = FORMS[0]

    @property
    def key(self) -> Signer:
        return BBS if self.form.name == "ldp_vc-bbs" else self.signer

    @property
    def did_document(self) -> dict[str, Any]:
        url = f"{DID}#{self.key.kid}"
        method = {
            "id": url,
            "type": "Multikey",
            "controller": DID,
            "publicKeyMultibase": multikey.encode(self.key.public),
        }
        contexts = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
        return {"@context": contexts, "id": DID, "verificationMethod": [method], "assertionMethod": [url]}

    def _answer(self, path: str, method: str, headers: Mapping[str, str], body: bytes) -> Any:
        return self.did_document if path == "/.well-known/did.json" else super()._answer(path, method, headers, body)

    def _credential(self, headers: Mapping[str, str], body: bytes) -> Any:
        read = CredentialResponse.parse(write_json(super()._credential(headers, body)))
        wire = wire_text(read.credentials[0])
        assert wire is not None
        return CredentialResponse((wire_json(wire),)).json

    @property
    def metadata(self) -> IssuerMetadata:
        names = {("given_name",): "Given name", ("document", "number"): "Number of your document"}
        configuration = Configuration(
            id="person",
            format=self.form.format,
            binding_methods=("jwk",),
            proof_algs={"jwt": self.proof_algs},
            display=(Display("Verified person"),),
            claims=tuple(
                ClaimDescription((*self.form.root, *path), display=(Display(text),)) for path, text in names.items()
            ),
            **self.form.named,
        )
        return replace(super().metadata, configurations={"person": configuration})

    def credential(self, holder: PublicKey, **changes: Any) -> Credential:
        form, valid_until = self.form, self.clock() + timedelta(days=60)
        if form.format == "dc+sd-jwt":
            return super().credential(holder, claims=SAID, disclosable=(*DISCLOSABLE, ("portrait",)), **changes)
        draft = replace(self._draft(form), valid_until=valid_until, **{**self.draft_changes, **changes})
        return formats.by_id(form.format).issue(draft, signer=self.key, holder=holder, now=self.clock())

    def _draft(self, form: Form) -> Draft:
        token = (StatusRef("token_status_list", f"{ISSUER}/status", 7),)
        if form.format == "mso_mdoc":
            return Draft(PERSON, Issuer(None, None, self.chain), {PERSON: SAID}, statuses=token)
        hides = (*form.hides, ("portrait",)) if form.hides else ()
        beside = {name: BESIDE[name] for name in form.beside}
        contexts = [CONTEXT, EXAMPLES] if beside else [CONTEXT]
        issuer = Issuer(DID, kid=f"{DID}#{self.key.kid}")
        return Draft(TYPE, issuer, SAID, hides, document={"@context": contexts, **beside})


class FormTown(Town):
    """A town whose wallet trusts the issuer's DID, too."""

    def settings(self) -> WalletSettings:
        made = super().settings()
        assert made.trusted_issuers is not None
        made.trusted_issuers.write_bytes(write_json({DID: [TYPE]}))
        return made


@pytest.fixture
def form_town(tmp_path: Path, minted: Path) -> FormTown:
    return FormTown(Path(shutil.copytree(minted, tmp_path / "town")))


@dataclass
class Holder:
    """A person who has the card in one form."""

    town: Town
    person: Person
    form: Form
    offer: Mapping[str, Any]

    def path(self, *path: str | int | None) -> list[Any]:
        whole = [*self.form.root, *path]
        return whole[:2] if self.form.format == "mso_mdoc" else whole

    def asked(self, *paths: tuple[Any, ...], **more: Any) -> str:
        """Where the consent page is for a request of these claims."""
        claims = {"claims": [{"path": self.path(*path), **more} for path in paths]} if paths else {}
        query = {"id": "person", "format": self.form.format, "meta": self.form.meta, **claims}
        self.town.shop.query = {"credentials": [query]}
        return self.person.open(self.town.shop.link)

    def choice(self, place: str) -> dict[str, Any]:
        (part,) = self.person.get(place).json["request"]["parts"]
        ((question,),) = part["options"]
        (choice,) = question["choices"]
        return dict(choice)

    def shared(self, place: str) -> Opened:
        """Share, and what arrived."""
        done = self.person.post(f"{place}/share").json["request"]
        assert done["state"] == "shared", done
        (sent,) = read_json_object(self.town.shop.received[-1]["vp_token"])["person"]
        wire = wire_text(sent)
        assert wire is not None
        opened = formats.by_id(self.form.format).open(
            Presentation(self.form.format, wire),
            challenge=oid4vp.challenge(self.town.shop.request),
            keys=Keys(self.town.fetch),
            now=self.town.clock(),
        )
        judged = {finding.outcome.value for finding in opened.findings if finding.check is not Check.STATUS}
        assert judged == {"pass"}
        return opened


def having(town: FormTown, form: Form) -> Holder:
    """Ada with the card in this form."""
    town.issuer = FormIssuer(town.folder, town.clock, form=form)
    town.world[ISSUER] = town.issuer
    ada = Person.joins(town.app(), "Ada")
    return Holder(town, ada, form, ada.accepts(town))


@every_form
def test_each_form_is_received_inspected_and_kept(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    findings = {one["check"]: one["outcome"] for one in holder.offer["cards"][0]["findings"]}
    wanted = ("format", "type", "signature", "holder_binding", "validity", "trust")
    assert {name: findings[name] for name in wanted} == dict.fromkeys(wanted, "pass")
    assert "fail" not in findings.values()
    (card,) = holder.person.cards()
    assert (card["name"], card["person"], card["format"]) == ("Verified person", "Eileen Collins", form.format)


@every_form
def test_its_page_says_what_it_says_in_words(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    (card,) = holder.person.cards()
    claims = {line["label"]: line["value"] for line in holder.person.get(f"/cards/{card['id']}").json["card"]["claims"]}
    assert (claims["Given name"], claims["Portrait"]) == ("Eileen", "A picture (3 kB)")
    assert claims["Date of birth"] == "19 November 1956"
    assert "1234567" in str(claims)
    assert PORTRAIT[:30] not in str(claims)
    assert not any(word in str(claims) for word in (SUBJECT, "urn:facet", "did:"))
    page = holder.person.page(f"/cards/{card['id']}")
    assert page.status_code == 200
    assert "Eileen" in page.text
    for name, label in (("evidence", "Evidence: verifier"), ("termsOfUse", "Terms of use: obligation")):
        assert (label in claims) == (name in form.beside)


@every_hiding
def test_one_claim_is_shared_and_the_rest_stays_hidden(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    place = holder.asked(("given_name",))
    choice = holder.choice(place)
    assert [(line["label"], line["value"]) for line in choice["shared"]] == [("Given name", "Eileen")]
    assert {"Portrait", "Date of birth"} <= set(choice["hidden"])
    assert len(choice["always"]) == (4 if form.beside else 0)
    page = holder.person.page(place).text
    assert "Collins" in page  # whose card it is
    assert "1956" not in page
    opened = holder.shared(place)
    claims: Any = opened.claims
    for part in form.root:
        claims = claims[part]
    assert {name for name in claims if name in SAID} == {"given_name"}


@every_open
def test_what_cannot_be_hidden_is_on_the_consent_page_before_anybody_shares(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    place = holder.asked(("given_name",))
    choice = holder.choice(place)
    assert [line["value"] for line in choice["shared"]] == ["Eileen"]
    always = {line["label"]: line["value"] for line in choice["always"]}
    assert always["Date of birth"] == "19 November 1956"
    assert always["Portrait"] == "A picture (3 kB)"
    assert any("Nothing on this card can be hidden" in remark for remark in choice["remarks"])
    assert choice["hidden"] == []
    page = holder.person.page(place).text
    assert "Always seen with this card" in page
    assert "19 November 1956" in page
    if form.beside:
        assert always["Evidence: verifier"] == "Officer Dibble"
        assert "Wipe your feet" in page
    holder.shared(place)
    full = holder.person.get(f"/history/{holder.person.history()[0]['id']}").json["event"]
    assert {line["label"] for line in full["cards"][0]["claims"]} == {*always, "Given name"}


@every_form
def test_a_list_and_an_object_are_shared_as_they_were_shown(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    place = holder.asked(("nationalities", None), ("document", "number"))
    choice = holder.choice(place)
    shared = {line["label"]: line["value"] for line in choice["shared"]}
    assert "US, IE" in shared.values()
    assert "X1234567" in shared.values()
    if form.hiding and form.format != "mso_mdoc":
        assert len(shared) == 2
    opened = holder.shared(place)
    assert "X1234567" in str(opened.claims)
    assert ("1956" in str(opened.claims)) != form.hiding


@every_form
def test_what_the_card_does_not_say_cannot_be_asked_of_it(form_town: FormTown, form: Form) -> None:
    holder = having(form_town, form)
    place = holder.asked(("given_name",), values=["Ellen"])
    asked = holder.person.get(place).json["request"]
    assert asked["answerable"] is False
    assert asked["missing"] == ["Your card “Verified person” does not say what they ask for."]
    assert holder.person.post(f"{place}/share").status_code >= 400
    assert form_town.shop.received == []


def test_an_asker_who_means_to_keep_something_has_said_so(form_town: FormTown) -> None:
    holder = having(form_town, next(form for form in FORMS if form.format == "mso_mdoc"))
    place = holder.asked(("given_name",), ("portrait",), intent_to_retain=True)
    remarks = holder.choice(place)["remarks"]
    assert "They say that they will keep: Given name, Portrait." in remarks
