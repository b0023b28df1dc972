"""Shapes: what do the credentials of one issuer and type have in common, so that it need be checked only once?

Contexts, types, issuer, schemas and all other members but a few are the same in thousands of credentials. They are
checked as `ssi.vcdm` checks them, and the outcome is remembered by their bytes; what differs is checked every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from ssi import vcdm
from ssi.encoding import Json, read_json_object, write_json
from ssi.vcdm.statuses import refs
from ssi.vcdm.values import bad, moment, one_id

_OWN: Final = frozenset(("id", "credentialSubject", "validFrom", "validUntil", "credentialStatus"))
"""What each credential has of its own."""
_MAX_REMEMBERED: Final = 4096


def credential(document: Mapping[str, Json]) -> vcdm.Model | None:
    """As `vcdm.credential`, then `vcdm.refuse_unknown_terms`, for a document of the Data Model 2.0 about one subject.

    None for any other document. Raises Malformed (`vcdm.*`) as these do.
    """
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict) or not subject or "confidenceMethod" in subject or "proof" in document:
        return None
    common = write_json({name: value for name, value in document.items() if name not in _OWN})
    if len(common) > _MAX_REMEMBERED:
        return None
    shape = _shape(common)
    if shape.profile != "2.0":
        return None
    start = moment(document, "validFrom", zone_required=True)
    end = moment(document, "validUntil", zone_required=True)
    if start is not None and end is not None and start > end:
        raise bad("validUntil", "The credential ends before it begins.")
    one_id(subject, member="credentialSubject")
    return vcdm.Model(
        profile=shape.profile,
        contexts=shape.contexts,
        types=shape.types,
        issuer_id=shape.issuer_id,
        subjects=(subject,),
        id=one_id(document, member="id"),
        valid_from=start,
        valid_until=end,
        statuses=refs(document, id_required=False) if "credentialStatus" in document else (),
        schemas=shape.schemas,
        document=document,
    )


@lru_cache(maxsize=128)
def _shape(common: bytes) -> vcdm.Model:
    """A shape that passed is remembered; one that raises is not. The members left out are known to every context."""
    document = {**read_json_object(common, what="credential"), "credentialSubject": {"id": "urn:x"}}
    model = vcdm.credential(
        {"issuanceDate": "2020-01-01T00:00:00Z", **document}
    )  # a must in VCDM 1.1, which is refused
    if model.profile == "2.0":
        vcdm.refuse_unknown_terms(document)
    return model
