"""What did DIDKit say? Only an empty list of errors, beside the check that was made, is a yes."""

from __future__ import annotations

from ssi.encoding import Json, read_json_object, write_json
from ssi.errors import Malformed, Refused
from ssi.legacy.engine import engine


def verify(call: str, document: str, options: dict[str, Json], *, check: str) -> None:
    """Let DIDKit verify, and return when it did and found the proof good.

    Raises Refused (`didkit.proof`), also for what DIDKit cannot read; Unavailable.
    """
    try:
        answer = read_json_object(engine().call(call, document, write_json(options).decode()), what="verdict")
    except Malformed:
        raise Refused("didkit.proof", "DIDKit cannot read what it was to verify.") from None
    if answer.get("errors") != [] or answer.get("warnings") != [] or answer.get("checks") != [check]:
        raise Refused("didkit.proof", "The proof does not hold.")
