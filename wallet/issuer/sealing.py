"""Sealing: which messages of wallets are encrypted, and with which key of the desk (OpenID4VCI 1.0 §10)?

Three ways: `off` takes and gives nothing encrypted, `on` leaves it to the wallet, `required` refuses all else. Whoever
wants an encrypted response must encrypt the request, so that nobody on the way can put another key there (§8.2).
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ssi.errors import Unavailable
from ssi.jose.jwe import DecryptionKey
from ssi.oid4vci import OAuthError, RequestPolicy, ResponseEncryption, ResponsePolicy, encryption
from ssi.oid4vci.bodies import MAX_REQUEST_BYTES

_INVALID: Final = "invalid_encryption_parameters"


@dataclass(frozen=True)
class Sealing:
    """The desk's key for requests, and whether messages must be encrypted; no keys: nothing is."""

    keys: tuple[DecryptionKey, ...] = ()
    required: bool = False

    @property
    def policies(self) -> tuple[RequestPolicy | None, ResponsePolicy | None]:
        """What the metadata says of it (§12.2.4)."""
        return encryption.policies(self.keys, required=self.required) if self.keys else (None, None)

    def open(self, body: bytes, *, media_type: str) -> tuple[bytes, bool]:
        """The request in clear, and whether it came encrypted.

        Raises OAuthError (`invalid_encryption_parameters`, `invalid_credential_request`).
        """
        if media_type == encryption.MEDIA_TYPE:
            if not self.keys:
                raise OAuthError(_INVALID, "This issuer takes unencrypted requests only.")
            return encryption.open_request(body, keys=self.keys, max_bytes=MAX_REQUEST_BYTES), True
        if media_type != "application/json":
            raise OAuthError("invalid_credential_request", "Send the request as application/json.")
        if self.required:
            raise OAuthError(_INVALID, "This issuer takes encrypted requests only.")
        return body, False

    def check(self, asked: ResponseEncryption | None, *, sealed: bool) -> None:
        """Can this response be given as the wallet asks for it? Raises OAuthError (`invalid_encryption_parameters`)."""
        if asked is None:
            if self.required:
                raise OAuthError(_INVALID, "This issuer gives encrypted responses only; say how to encrypt them.")
            return
        if not self.keys:
            raise OAuthError(_INVALID, "This issuer does not encrypt its responses.")
        if not sealed:
            raise OAuthError(_INVALID, "Encrypt the request, too, when you ask for an encrypted response.")


def load(mode: str, path: Path) -> Sealing:
    """The desk's key from its file, which is made when it is missing: every process of the desk has the same.

    Raises Unavailable (`settings.file`), Malformed (`jose.jwe_key`, …).
    """
    if mode == "off":
        return Sealing()
    try:
        if not path.exists():
            _make(path)
        content = path.read_bytes()
    except OSError:
        raise Unavailable("settings.file", "The encryption key cannot be read or made.") from None
    return Sealing((DecryptionKey.from_json(content),), required=mode == "required")


def _make(path: Path) -> None:
    """Write a fresh key, unless another process is faster: whoever links the file first has made it."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(DecryptionKey.generate().to_json())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
