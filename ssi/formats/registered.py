"""Registered claims: which members of an SD-JWT VC's payload does the format itself write, read and judge?

They are `vct`, `iss`, `iat`, `nbf`, `exp`, `cnf`, `status` and their kin (SD-JWT VC, "JWT Claims Set"); what they say
about key binding is for `ssi.formats.keybinding`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ssi.encoding import Json, seconds
from ssi.errors import Malformed, Unsupported
from ssi.keys import PublicKey
from ssi.model import Check, Draft, Finding, Outcome, StatusRef

LEEWAY = timedelta(seconds=60)
"""How far the issuer's clock may be ahead of ours, for `nbf` and `iat`; an expired credential is expired."""

STATUS_LIST = "token_status_list"
NEVER_DISCLOSED = frozenset(("iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"))
"""Claims that may not be hidden, nor any part of them (SD-JWT VC, "Registered JWT Claims")."""

WRITTEN_BY_FORMAT = NEVER_DISCLOSED | {"iat"}
_IN_FORCE = Finding(Check.VALIDITY, Outcome.PASS, "sdjwt.in_force", "The credential is within its time of validity.")


def write(draft: Draft, *, holder: PublicKey | None, now: datetime) -> dict[str, Json]:
    """The claims that the format writes for a draft. Raises Malformed and Unsupported (`sdjwt.*`)."""
    if not draft.type:
        raise Malformed("sdjwt.vct", "The draft has no type.")
    claims: dict[str, Json] = {"iss": draft.issuer.id} if draft.issuer.id else {}
    claims["iat"], claims["vct"] = seconds(now), draft.type
    if draft.valid_from is not None:
        claims["nbf"] = seconds(draft.valid_from)
    if draft.valid_until is not None:
        claims["exp"] = seconds(draft.valid_until)
    if holder is not None:
        claims["cnf"] = {"jwk": holder.jwk}
    if draft.statuses:
        if len(draft.statuses) > 1 or draft.statuses[0].kind != STATUS_LIST:
            raise Unsupported("sdjwt.status", "The status mechanism is not one that this format can name.")
        claims["status"] = {"status_list": {"idx": draft.statuses[0].index, "uri": draft.statuses[0].uri}}
    return claims


def other_types(payload: Mapping[str, Json]) -> tuple[str, ...]:
    """`aka_vcts`: further types of the credential, none of them its `vct`. Raises Malformed (`sdjwt.aka_vcts`)."""
    if "aka_vcts" not in payload:
        return ()
    others = payload["aka_vcts"]
    if not isinstance(others, list) or not others or not all(isinstance(other, str) for other in others):
        raise Malformed("sdjwt.aka_vcts", "The credential's further types are not a list of types.")
    if payload.get("vct") in others:
        raise Malformed("sdjwt.aka_vcts", "The credential's further types repeat its type.")
    return tuple(others)


def statuses(payload: Mapping[str, Json]) -> tuple[StatusRef, ...]:
    """Where the status stands. A mechanism unknown here keeps its name, so that nobody takes it for "no status".

    Raises Malformed (`sdjwt.status`).
    """
    if "status" not in payload:
        return ()
    named = payload["status"]
    if not isinstance(named, Mapping) or not named:
        raise Malformed("sdjwt.status", "The credential's status is not an object that names a mechanism.")
    if "status_list" not in named:
        return (StatusRef(next(iter(named)), "", 0),)
    entry = named["status_list"]
    uri, index = (entry.get("uri"), entry.get("idx")) if isinstance(entry, Mapping) else (None, None)
    if not isinstance(uri, str) or not uri or isinstance(index, bool) or not isinstance(index, int) or index < 0:
        raise Malformed("sdjwt.status", "The credential's status list entry has no address or no index.")
    return (StatusRef(STATUS_LIST, uri, index),)


def validity(
    issued_at: datetime | None, valid_from: datetime | None, valid_until: datetime | None, *, now: datetime
) -> Finding:
    """Is the credential within its time (RFC 9901 §7.1 step 6, on the processed claims)?"""
    if valid_until is not None and now >= valid_until:
        return _outside("sdjwt.expired", "The credential has expired.")
    if valid_from is not None and valid_from > now + LEEWAY:
        return _outside("sdjwt.not_yet_valid", "The credential is not valid yet.")
    if issued_at is not None and issued_at > now + LEEWAY:
        return _outside("sdjwt.issued_in_future", "The credential says that it was issued in the future.")
    return _IN_FORCE


def audience(claims: Mapping[str, Json], asker: str) -> Finding | None:
    """What is wrong when an `aud` in the credential itself does not name the asker (RFC 7519 §4.1.3)."""
    if "aud" not in claims:
        return None
    named = claims["aud"]
    if asker in (named if isinstance(named, list) else [named]):
        return None
    return _outside("sdjwt.audience", "The credential may only be shown to somebody else.")


def _outside(code: str, detail: str) -> Finding:
    return Finding(Check.VALIDITY, Outcome.FAIL, code, detail)
