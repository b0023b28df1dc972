"""Presentations: does this document say all that a verifiable presentation must (VCDM 2.0 §4.13, 1.1 §4.10)?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ssi.encoding import Json
from ssi.vcdm.contexts import profile
from ssi.vcdm.credentials import Model, credential, proofs
from ssi.vcdm.digests import related_resources
from ssi.vcdm.envelopes import Envelope, enveloped, is_envelope
from ssi.vcdm.values import MAX_ENTRIES, bad, named_party, one_id, typed_objects, types

PRESENTATION: Final = "VerifiablePresentation"
MEMBER: Final = "verifiableCredential"


@dataclass(frozen=True)
class PresentationModel:
    """A presentation that keeps the rules of its data model; `credentials` are in the order in which they stand.

    A `str` among them is a VCDM 1.1 JWT, an `Envelope` the secured bytes of another securing mechanism.
    """

    profile: str
    contexts: tuple[Json, ...]
    types: tuple[str, ...]
    credentials: tuple[Model | Envelope | str, ...]
    id: str | None = None
    holder_id: str | None = None
    document: Mapping[str, Json] = field(default_factory=dict, repr=False)


def presentation(document: Mapping[str, Json]) -> PresentationModel:
    """Read a presentation, with or without its proof, and all that is in it.

    Raises Malformed (`vcdm.<member>`), Unsupported (`vcdm.year`).
    """
    version, contexts = profile(document)
    kinds = types(document)
    if PRESENTATION not in kinds:
        raise bad("type", "The document is not a verifiable presentation by its type.")
    related_resources(document)
    for _ in typed_objects(document, "termsOfUse"):
        pass
    proofs(document)
    return PresentationModel(
        profile=version,
        contexts=contexts,
        types=kinds,
        credentials=_credentials(document, two=version == "2.0"),
        id=one_id(document, member="id"),
        holder_id=named_party(document["holder"], member="holder") if "holder" in document else None,
        document=document,
    )


def refuse_borrowed(found: PresentationModel) -> None:
    """Refuse credentials without a proof of their own, unless the presentation's holder issued them to say so himself.

    Such self-asserted credentials are secured by the presentation's proof alone, and then it "MUST include a `holder`"
    (§4.13.4), who must be their issuer. Raises Malformed (`vcdm.holder`).
    """
    for one in found.credentials:
        if isinstance(one, Model) and not proofs(one.document) and one.issuer_id != found.holder_id:
            raise bad("holder", "A credential has no proof, and the presentation's holder did not issue it.")


def _credentials(document: Mapping[str, Json], *, two: bool) -> tuple[Model | Envelope | str, ...]:
    if MEMBER not in document:
        return ()
    value = document[MEMBER]
    every = value if isinstance(value, list) else [value]
    if len(every) > MAX_ENTRIES or (two and not every):
        raise bad(MEMBER, "The presentation holds no credential, or too many.")
    return tuple(_one(each, two=two) for each in every)


def _one(value: Json, *, two: bool) -> Model | Envelope | str:
    if isinstance(value, Mapping):
        return enveloped(value) if is_envelope(value) else credential(value)
    if isinstance(value, str) and value and not two:
        return value
    raise bad(MEMBER, "What the presentation holds as a credential is not an object.")
