"""Proofs in documents: who signed this W3C document, may that speak for its issuer, and is its holder here?

For every document that carries its own proof: one credential in a presentation that answers a request
(`ssi.formats.ldp`), status lists, and presentations of several credentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ssi import suites, vcdm
from ssi.encoding import Json
from ssi.errors import Malformed, SsiError
from ssi.formats import keybinding, ldcomplete, ldparts, ldshape, vcdocs, vpclaims
from ssi.keys import PublicKey
from ssi.model import Challenge, Check, ClaimPath, Finding, Issuer, KeyResolver, Opened, Outcome
from ssi.suites import options, proofs
from ssi.suites.proofs import Proven
from ssi.vcdm import schema

ID: Final = "ldp_vc"
MAX_CREDENTIALS: Final = 16
"""The most credentials of one presentation that are verified."""

MAX_VALUES: Final = 1500
"""The most values (texts, numbers, objects, lists) in a document that is looked at."""

READ: Final = Finding(Check.FORMAT, Outcome.PASS, "ldp.read", "The credential can be read and is complete.")
_HIDES: Final = Finding(
    Check.SCHEMA,
    Outcome.NOT_ASKED,
    "schema.selective",
    "Parts of the credential can be hidden, so what is shown was not compared with the schema of the whole.",
)
Document = Mapping[str, Json]
Lookups = tuple[schema.Documents, schema.Credentials]
"""How the schemas are had that a credential names: the bytes behind a URL, and verified credentials."""

_NO_LOOKUPS: Final[Lookups] = (schema.nothing, schema.nothing)


def bounded(document: Document) -> Document:
    """The same document, if it is one of a sane size: what JSON-LD costs grows with the number of values.

    Raises Malformed (`ldp.size`).
    """
    level: list[Json] = [document]
    left = MAX_VALUES
    while level:
        left -= len(level)
        if left < 0:
            raise Malformed("ldp.size", f"The document has more than {MAX_VALUES} values.")
        below: list[Json] = []
        for value in level:
            if isinstance(value, dict | list):
                below += value.values() if isinstance(value, dict) else value
        level = below
    return document


# --- credentials ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Secured:
    """A credential with its proofs judged: the finding on its signature, and which proof the issuer made."""

    model: vcdm.Model
    proven: tuple[Proven, ...]
    signature: Finding
    received: bool = False

    @property
    def own(self) -> tuple[Proven, ...]:
        """The proofs by the issuer's own keys."""
        return tuple(one for one in self.proven if one.controller == self.model.issuer_id)

    @property
    def curtailed(self) -> bool:
        """Whether somebody may have hidden parts of it: nothing that its issuer made is over the whole."""
        return not self.received and bool(self.own) and all(is_selective(one.proof) for one in self.own)

    @property
    def selective(self) -> bool:
        """Whether parts of it can be hidden."""
        return any(is_selective(one.proof) for one in self.proven)

    @property
    def mandatory(self) -> tuple[str, ...]:
        """The pointers of what its holder cannot hide."""
        return next((one.mandatory for one in self.proven if one.mandatory), ())

    @property
    def issuer(self) -> Issuer:
        """Its issuer, and the name of the issuer's key."""
        return Issuer(self.model.issuer_id, next((one.verification_method for one in self.own), None))

    @property
    def binding(self) -> vpclaims.Binding:
        """Whom it is bound to: its subject."""
        return vpclaims.Binding(None, vcdocs.subject_id(self.model))


def secured(document: Document, *, keys: KeyResolver, now: datetime, received: bool = False) -> Secured:
    """Read a credential and judge its proofs; `received` is for its holder, who has the base proofs.

    Strictly, an issuer's credential has a proof by a key that the issuer controls, beside whoever else signed: else
    FAIL (`ldp.issuer_binding`). And its JSON must say what was signed: else FAIL (`ldp.inline_context`,
    `ldp.not_compacted`). Raises Malformed (`vcdm.*`, `proof.*`), Unsupported.
    """
    model = vcdm.credential(document)
    if received:
        proven = proofs.received(document, keys=keys, now=now)
    else:
        proven = proofs.verify(document, keys=keys, purpose="assertionMethod", now=now)
    verdict = proofs.verdict(proven)
    if verdict.outcome is Outcome.PASS:
        model = _with_signed_contexts(model, proven)
        verdict = _issuers_own(model, proven)
    return Secured(model, proven, verdict, received)


def _with_signed_contexts(model: vcdm.Model, proven: Sequence[Proven]) -> vcdm.Model:
    """The credential with the contexts that its issuer's proof over JSON covers, without those appended since.

    eddsa-jcs-2022 "Verify Proof" step 4.2: what is verified has the contexts of the proof. Raises Malformed (`vcdm.*`).
    """
    for one in proven:
        if one.controller == model.issuer_id and ldshape.signs_json(one.proof):
            signed = one.proof.get("@context", model.document["@context"])
            if signed != model.document["@context"]:
                return vcdm.credential({**model.document, "@context": signed})
    return model


def _issuers_own(model: vcdm.Model, proven: Sequence[Proven]) -> Finding:
    own = [one for one in proven if one.controller == model.issuer_id]
    if not own:
        detail = "The credential is signed, but not with a key of the issuer that it names."
        return Finding(Check.SIGNATURE, Outcome.FAIL, "ldp.issuer_binding", detail)
    try:
        if not any(ldshape.signs_json(one.proof) for one in own):
            ldshape.check(model.document)
    except Malformed as cause:
        return Finding(Check.SIGNATURE, Outcome.FAIL, cause.code, cause.detail)
    evidence = {"suite": own[0].suite}
    return Finding(Check.SIGNATURE, Outcome.PASS, "ldp.signed", "The credential is signed by its issuer.", evidence)


def opened(
    found: Secured, binding: tuple[Finding, PublicKey | None], *, now: datetime, lookups: Lookups = _NO_LOOKUPS
) -> Opened:
    """A credential, opened, with the findings on all that was asked. `disclosed` is what could have been hidden."""
    model, (bound, holder) = found.model, binding
    validity = vcdm.validity(model, now=now)
    if found.curtailed:
        validity = ldcomplete.validity(model, validity)
    findings: tuple[Finding, ...] = (READ, found.signature, bound, validity)
    if model.schemas:
        judged = _HIDES if found.selective else schema.judge(model, documents=lookups[0], credentials=lookups[1])
        findings = (*findings, judged)
    document = {name: value for name, value in model.document.items() if name != "proof"}
    whole = vcdocs.opened(ID, document, model, vcdocs.Judged(found.issuer, findings, holder))
    if not found.selective:
        return whole
    fixed = [line for one in found.own for line in one.fixed]
    hides = found.curtailed and ldcomplete.hides_status(model, fixed)
    return replace(whole, disclosed=_hideable(document, found), status_hideable=hides)


def _hideable(document: Document, found: Secured) -> tuple[ClaimPath, ...]:
    """Nothing, where contexts are not known: then the signature has failed, and nobody keeps or shows it."""
    try:
        return ldparts.hideable(document, found.mandatory)
    except SsiError:
        return ()


def open_credential(document: Document, *, keys: KeyResolver, now: datetime, lookups: Lookups = _NO_LOOKUPS) -> Opened:
    """Judge a credential on its own, as published or as derived; nobody is asked to prove to be its holder.

    Raises Malformed (`vcdm.*`, `proof.*`, `ldp.size`), Unsupported.
    """
    found = secured(bounded(document), keys=keys, now=now)
    return opened(found, vpclaims.named(found.binding, keys=vouched(found, keys), now=now), now=now, lookups=lookups)


def vouched(found: Secured, keys: KeyResolver) -> KeyResolver:
    """A holder's key is looked up only once an issuer has vouched for it."""
    return keys if found.signature.outcome is Outcome.PASS else keybinding.NOBODY


def is_selective(proof: Document) -> bool:
    """Whether a holder can hide parts of what the proof is over."""
    try:
        return suites.of(proof).SELECTIVE
    except SsiError:
        return False


# --- presentations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Presented:
    """A presentation's own proof, judged: the finding, and who made it, with which key."""

    finding: Finding
    controllers: tuple[str, ...] = ()
    method: str | None = None


@dataclass(frozen=True)
class OpenedPresentation:
    """A presentation of any number of credentials; an envelope or a token among them is for its own format to open."""

    model: vcdm.PresentationModel
    proof: Finding
    credentials: tuple[Opened | vcdm.Envelope | str, ...]


def presented(
    document: Document, *, keys: KeyResolver, now: datetime, challenge: str | None, domain: str | None
) -> Presented:
    """Judge the proof of a presentation, as a HOLDER_BINDING finding. Raises Malformed (`proof.many`, `proof.form`)."""
    if not vcdm.proofs(document):
        return Presented(vpclaims.MISSING)
    proven = proofs.verify(document, keys=keys, purpose="authentication", now=now, challenge=challenge, domain=domain)
    verdict = proofs.verdict(proven)
    if verdict.outcome is not Outcome.PASS:
        return Presented(replace(verdict, check=Check.HOLDER_BINDING))
    detail = "The presentation is signed by who shows it."
    finding = Finding(Check.HOLDER_BINDING, Outcome.PASS, "ldp.presented", detail, {"suite": proven[0].suite})
    controllers = tuple(one.controller for one in proven if one.controller is not None)
    return Presented(finding, controllers, proven[0].verification_method)


def open_presentation(
    document: Document, *, keys: KeyResolver, now: datetime, challenge: str | None, domain: str | None
) -> OpenedPresentation:
    """Judge a presentation and every credential in it that carries its own proof.

    The presentation's `holder`, if it names one, must be who signed it; a credential without a proof must be the
    holder's own (VCDM 2.0 §4.13.4). Whether the holder is the credentials' subject is for the caller to say.
    Raises Malformed (`vcdm.*`, `proof.*`, `ldp.many`, `ldp.size`), Unsupported.
    """
    model = vcdm.presentation(bounded(document))
    if len(model.credentials) > MAX_CREDENTIALS:
        raise Malformed("ldp.many", f"The presentation holds more than {MAX_CREDENTIALS} credentials.")
    vcdm.refuse_borrowed(model)
    shown = presented(document, keys=keys, now=now, challenge=challenge, domain=domain)
    if shown.finding.outcome is Outcome.PASS and model.holder_id not in (None, *shown.controllers):
        detail = "The presentation is signed by somebody else than the holder that it names."
        shown = Presented(Finding(Check.HOLDER_BINDING, Outcome.FAIL, "ldp.holder", detail))
    credentials = tuple(_one_of(each, shown, keys=keys, now=now) for each in model.credentials)
    return OpenedPresentation(model, shown.finding, credentials)


def _one_of(
    each: vcdm.Model | vcdm.Envelope | str, shown: Presented, *, keys: KeyResolver, now: datetime
) -> Opened | vcdm.Envelope | str:
    if not isinstance(each, vcdm.Model):
        return each
    if vcdm.proofs(each.document):
        return open_credential(each.document, keys=keys, now=now)
    signature = replace(shown.finding, check=Check.SIGNATURE)  # self-asserted: the presentation's proof is its own
    own = Secured(each, (), signature)
    return opened(own, (shown.finding, None), now=now)


# --- one credential, one holder ---------------------------------------------------------------------------------------


def holder_binding(
    model: vcdm.PresentationModel, found: Secured, *, challenge: Challenge, keys: KeyResolver, now: datetime
) -> tuple[Finding, PublicKey | None]:
    """Is this the presentation of the credential's subject, for this asker and this request (OpenID4VP 1.0 B.1.3.2)?

    Raises Refused (`kb.challenge`) for a challenge that binds to nothing, Malformed (`proof.*`).
    """
    vpclaims.refuse_empty(challenge)
    nonce, asker = challenge.nonce, challenge.audience
    shown = presented(model.document, keys=vouched(found, keys), now=now, challenge=nonce, domain=asker)
    if shown.finding.outcome is not Outcome.PASS or shown.method is None:
        return shown.finding, None
    key = keys.method_key(shown.method, relationship="authentication", now=now).key
    if broken := _broken_rule(model, shown, found.binding.subject, challenge=challenge, now=now):
        return Finding(Check.HOLDER_BINDING, Outcome.FAIL, *broken), key
    detail = "The holder proved to hold the credential's key."
    return Finding(Check.HOLDER_BINDING, Outcome.PASS, "ldp.holder_proven", detail, shown.finding.evidence), key


def _broken_rule(
    model: vcdm.PresentationModel, shown: Presented, subject: str | None, *, challenge: Challenge, now: datetime
) -> tuple[str, str] | None:
    rules: tuple[tuple[bool, str, str], ...] = (
        (subject is not None, "vp.unbound", "The credential is bound to no key."),
        (set(shown.controllers) == {subject}, "vp.other_holder",
         "The presentation is signed by somebody else than the credential's subject."),
        (model.holder_id in (None, subject), "vp.holder",
         "The presentation names another holder than the credential."),
        (_fresh(model.document, now), "vp.old", "The presentation was made too long ago."),
        (not challenge.transaction_data, "vp.transaction", "The presentation does not cover the transaction."),
    )  # fmt: skip
    return next(((code, detail) for holds, code, detail in rules if not holds), None)


def _fresh(document: Document, now: datetime) -> bool:
    """`created` is optional: what makes a presentation fresh is its challenge."""
    made = (options.read(one).created for one in vcdm.proofs(document))
    return all(at is None or (now - at).total_seconds() <= keybinding.MAX_AGE_SECONDS for at in made)
