"""What can go wrong in words a machine can branch on: four states, each with a stable code.

Every public reader of outside bytes in `ssi` raises only these. A bad signature met during verification is not an
error but a `Finding` (see `ssi.model`); these are for everything that cannot be judged at all.
"""

from __future__ import annotations


class SsiError(Exception):
    """Something from outside could not be used.

    `code` is stable and dotted (`"sdjwt.digest_repeated"`): callers and operators may branch on it.
    `detail` is one sentence for a person. Neither ever holds a secret, a portrait or a personal claim.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{detail} [{code}]")
        self.code = code
        self.detail = detail


class Malformed(SsiError):
    """The input breaks the syntax or a structural MUST of its specification."""


class Unsupported(SsiError):
    """The input may be right, but names something that this house does not accept (algorithm, version, method)."""


class Unavailable(SsiError):
    """Something needed could not be reached now: neither yes nor no. Never to be read as invalid or as valid."""


class Refused(SsiError):
    """A rule forbids it: a bad signature where one was required, an untrusted peer, an exceeded limit."""
