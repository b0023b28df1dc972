"""What is said to whoever comes with an id that leads nowhere, too late, twice, or from the wrong place?"""

from __future__ import annotations

from ssi.errors import Refused


def unknown() -> Refused:
    """The answer for every id that leads nowhere, whatever the reason."""
    return Refused("session.unknown", "There is no such request. The link may be incomplete, or too old.")


def spent() -> Refused:
    """The answer to a second response."""
    return Refused("session.spent", "This request has been answered already. An answer counts once.")


def expired() -> Refused:
    """The answer to a response after the request's time."""
    return Refused("session.expired", "The time to answer this request is over. Ask for a new one.")


def state() -> Refused:
    """The answer to a response whose state is another request's, or none (OpenID4VP 1.0 §14.3.2)."""
    return Refused("session.state", "The answer's state does not belong to this request.")


def other_way() -> Refused:
    """The answer to a response that does not come as its request wanted it."""
    return Refused("session.mode", "The answer did not come in the way that the request asked for.")


def other_browser() -> Refused:
    """The answer to a browser that brings what another one asked for (HAIP 1.0 §5.1)."""
    sentence = "This request was begun in another browser, so the answer was not used. Go back to it, and ask again."
    return Refused("session.other_browser", sentence)
