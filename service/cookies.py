"""Sealed cookies: a small secret that only this role can read, kept by the browser until it expires.

AES-256-GCM under a key file that all replicas of the role share; the cookie's name and expiry are bound in, so that a
value can be neither moved to another cookie nor kept alive. Why a browser may hold such things: docs/adr/0003.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Request, Response

from ssi.encoding import Json, b64url, read_json_object, seconds, unb64url, write_json
from ssi.errors import Malformed, SsiError, Unavailable

_NONCE = 12
_MAX = 3800  # browsers keep 4096 bytes of name, value and attributes


@dataclass(frozen=True)
class SealedCookie:
    """One kind of cookie. The first key seals, all of them open: keys can be changed without logging anyone out.

    `name` comes from `ServiceSettings.cookie()`; `secure` is that settings' `secure`.
    """

    name: str
    keys: Sequence[bytes] = field(repr=False)
    lifetime: timedelta
    secure: bool

    def put(self, response: Response, content: Json, *, now: datetime) -> None:
        """Give the browser `content` (a JSON object), sealed until `now` + lifetime."""
        expires = seconds(now + self.lifetime)
        value = self.seal(content, expires=expires)
        response.set_cookie(
            self.name, value, max_age=self.lifetime, path="/", secure=self.secure, httponly=True, samesite="Lax"
        )

    def get(self, request: Request, *, now: datetime) -> dict[str, Json] | None:
        """What the cookie holds, or None when it is absent, expired or not ours."""
        value = request.cookies.get(self.name, "")
        return self.open(value, now=now) if value else None

    def drop(self, response: Response) -> None:
        """Make the browser forget it."""
        response.delete_cookie(self.name, path="/", secure=self.secure, httponly=True, samesite="Lax")

    def seal(self, content: Json, *, expires: int) -> str:
        """The cookie's value. Raises Malformed (`cookie.size`) when a browser would not keep it."""
        nonce, clock = os.urandom(_NONCE), expires.to_bytes(8, "big")
        sealed = AESGCM(self.keys[0]).encrypt(nonce, write_json(content), self.name.encode() + clock)
        value = b64url(clock + nonce + sealed)
        if len(value) > _MAX:
            raise Malformed("cookie.size", "The session holds too much for a cookie.")
        return value

    def open(self, value: str, *, now: datetime) -> dict[str, Json] | None:
        """The content of a value, or None."""
        try:
            data = unb64url(value[:_MAX])
        except SsiError:
            return None
        clock, nonce, sealed = data[:8], data[8 : 8 + _NONCE], data[8 + _NONCE :]
        if len(sealed) < 16 or int.from_bytes(clock, "big") <= seconds(now):
            return None
        for key in self.keys:
            try:
                return read_json_object(AESGCM(key).decrypt(nonce, sealed, self.name.encode() + clock))
            except InvalidTag:
                continue
        return None


def read_keys(path: Path) -> tuple[bytes, ...]:
    """Keys from a file: one secret to a line, newest first; each is hashed to 32 bytes.

    Raises Unavailable (`cookie.key_missing`) when there is none of at least 32 characters.
    """
    try:
        lines = path.read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        lines = []
    keys = tuple(hashlib.sha256(b"facet cookie " + line.encode()).digest() for line in lines if len(line) >= 32)
    if not keys:
        raise Unavailable("cookie.key_missing", f"{path} holds no cookie key; run `facet-issuer bootstrap`.")
    return keys
