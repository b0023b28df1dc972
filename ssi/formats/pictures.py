"""Pictures: is the value of this claim a picture, which nobody wants to read as text?

Mobile documents have them as bytes, which are base64url in JSON (ISO/IEC 18013-5 §7.2.1); other formats as `data:` URLs
or base64. What is told of them is only how large they are.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from ssi.encoding import Json

_DATA_URL: Final = re.compile(r"data:image/[\w.+-]+(?:;[\w.+=-]+)*?(;base64)?,", re.ASCII)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}", re.ASCII)
_BEGINNINGS: Final = (
    bytes.fromhex("ffd8ff"),  # JPEG
    bytes.fromhex("89504e470d0a1a0a"),  # PNG
    bytes.fromhex("0000000c6a5020200d0a870a"),  # JPEG 2000
    bytes.fromhex("ff4fff51"),  # JPEG 2000, the bare code stream
)
_STANDARD: Final = str.maketrans("-_", "+/")


def size(value: Json) -> int | None:
    """How many bytes the picture has that this value is; None when it is no picture.

    >>> size("data:image/png;base64,AAAA"), size("Erika")
    (3, None)
    """
    if not isinstance(value, str):
        return None
    url = _DATA_URL.match(value)
    if url:
        rest = len(value) - url.end()
        return rest * 3 // 4 if url[1] else rest
    if _BASE64.fullmatch(value) and base64.b64decode(value[:16].translate(_STANDARD)).startswith(_BEGINNINGS):
        return len(value.rstrip("=")) * 3 // 4
    return None


def in_words(value: Json) -> str | None:
    """A picture as a page speaks of it; None when the value is no picture.

    >>> in_words("data:image/jpeg;base64," + "A" * 16384)
    'A picture (12 kB)'
    """
    found = size(value)
    if found is None:
        return None
    return f"A picture ({found} bytes)" if found < 1024 else f"A picture ({round(found / 1024)} kB)"
