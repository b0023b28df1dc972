"""Notifications: what became of the credentials in the wallet (OpenID4VCI 1.0 §11)?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ssi.encoding import Json
from ssi.oid4vci.bodies import members_once, text_of
from ssi.oid4vci.errors import OAuthError

ACCEPTED: Final = "credential_accepted"
FAILURE: Final = "credential_failure"
DELETED: Final = "credential_deleted"
EVENTS: Final = (ACCEPTED, FAILURE, DELETED)
_MALFORMED: Final = "invalid_notification_request"
_MAX_TEXT: Final = 300


@dataclass(frozen=True)
class Notification:
    """A wallet's word about the credentials of one response: stored, not stored, or not wanted by the person."""

    id: str
    event: str
    description: str | None = None

    @property
    def json(self) -> dict[str, Json]:
        """The request body; the description holds only the characters that it may (§11.1)."""
        members: dict[str, Json] = {"notification_id": self.id, "event": self.event}
        return members if self.description is None else {**members, "event_description": plain(self.description)}

    @staticmethod
    def parse(body: bytes) -> Notification:
        """Read a request body; unknown members are ignored. Raises OAuthError: invalid_notification_request (§11.3)."""
        members = members_once(body, what="notification request", error=_MALFORMED)
        name, event = (text_of(members, member, error=_MALFORMED) for member in ("notification_id", "event"))
        if name is None or event is None:
            raise OAuthError(_MALFORMED, "The notification_id or event parameter is missing.")
        if event not in EVENTS:
            raise OAuthError(_MALFORMED, f"The event must be one of {', '.join(EVENTS)}.")
        said = text_of(members, "event_description", error=_MALFORMED)
        if said is not None and said != plain(said):
            raise OAuthError(_MALFORMED, "The event_description is too long, or holds characters that it may not.")
        return Notification(name, event, said)


def plain(text: str) -> str:
    r"""A description with only the characters that it may hold: %x20-21 / %x23-5B / %x5D-7E (§11.1).

    >>> plain('Out of "storage".')
    "Out of 'storage'."
    """
    kept = text.replace('"', "'")[:_MAX_TEXT]
    return "".join(c if " " <= c <= "~" and c != "\\" else "?" for c in kept)
