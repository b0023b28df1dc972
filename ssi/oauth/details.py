"""Authorization details (RFC 9396): which credential configurations does a client ask for, and which may it have?

Only those of type `openid_credential` (OpenID4VCI 1.0 §5.1.1, §6.2).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json, read_json, write_json
from ssi.errors import Malformed, SsiError
from ssi.oauth.errors import OAuthError

TYPE: Final = "openid_credential"
_MAX: Final = 16
_MAX_BYTES: Final = 16_384


@dataclass(frozen=True)
class Details:
    """What was asked for: configurations in their order, each once, and the issuers named as `locations`, if any."""

    configuration_ids: tuple[str, ...]
    locations: tuple[str, ...] = ()


def written(configuration_ids: Sequence[str], *, locations: Sequence[str] = ()) -> str:
    """The parameter's text. `locations` is the credential issuer, where its metadata names authorization servers."""
    where = {"locations": list(locations)} if locations else {}
    return write_json(
        [{"type": TYPE, "credential_configuration_id": name, **where} for name in configuration_ids]
    ).decode()


def read(raw: str) -> Details:
    """Read the parameter. Unknown members are ignored (§5.1.1); an unknown type is refused (RFC 9396 §5).

    Raises OAuthError (`invalid_authorization_details`).
    """
    refusal = OAuthError("invalid_authorization_details", "The authorization_details parameter cannot be used.")
    try:
        value = read_json(raw, what="authorization_details", max_bytes=_MAX_BYTES)
    except SsiError:
        raise refusal from None
    if not isinstance(value, list) or not 0 < len(value) <= _MAX:
        raise refusal
    names: list[str] = []
    places: list[str] = []
    for item in value:
        name = item.get("credential_configuration_id") if isinstance(item, dict) else None
        if not isinstance(name, str) or item.get("type") != TYPE:
            raise refusal
        where = item.get("locations", [])
        if not isinstance(where, list) or not all(isinstance(place, str) for place in where):
            raise refusal
        names.append(name)
        places.extend(where)
    return Details(tuple(dict.fromkeys(names)), tuple(dict.fromkeys(places)))


def granted(identifiers: Mapping[str, tuple[str, ...]]) -> list[Json]:
    """The member of a token response: the dataset identifiers of each configuration (§6.2)."""
    return [
        {"type": TYPE, "credential_configuration_id": name, "credential_identifiers": list(found)}
        for name, found in identifiers.items()
    ]


def read_granted(value: Json) -> Mapping[str, tuple[str, ...]]:
    """The dataset identifiers by configuration; details of other types, and those without identifiers, are left out.

    Raises Malformed (`oid4vci.token_response`).
    """
    refusal = Malformed("oid4vci.token_response", "The authorization details of the token response cannot be read.")
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise refusal
    found: dict[str, tuple[str, ...]] = {}
    for item in value:
        if item.get("type") != TYPE:
            continue
        name, identifiers = item.get("credential_configuration_id"), item.get("credential_identifiers")
        if "credential_identifiers" not in item:
            continue
        if not isinstance(name, str) or not isinstance(identifiers, list) or not identifiers:
            raise refusal
        if not all(isinstance(identifier, str) and identifier for identifier in identifiers):
            raise refusal
        found[name] = tuple(identifiers)
    return found
