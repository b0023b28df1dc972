"""The fixtures of the W3C test suite for VC-JOSE-COSE, kept outside the repository."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from ssi.encoding import unb64url
from ssi.keys import PublicKey, SoftwareSigner
from tests.conftest import VECTORS

FOLDER = VECTORS / "vc-jose-cose"
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="no specification vectors (FACET_VECTORS)")
KEYS = ("p256", "p384", "p521", "ed25519")


def text(name: str) -> str:
    """A secured document, without the file's last line break."""
    return (FOLDER / f"{name}.txt").read_text().strip()


def document(name: str) -> dict[str, Any]:
    """A document to secure."""
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return found


def public(name: str) -> PublicKey:
    """The public half of one of the suite's keys."""
    return PublicKey.from_jwk(document(f"vm-{name}")["publicKeyJwk"])


def signer(name: str) -> SoftwareSigner:
    """One of the suite's keys."""
    jwk = document(f"vm-{name}")["secretKeyJwk"]
    secret = unb64url(jwk["d"])
    native: Any
    if jwk["kty"] == "OKP":
        native = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    else:
        curves = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
        native = ec.derive_private_key(int.from_bytes(secret, "big"), curves[jwk["crv"]]())
    return SoftwareSigner(public(name), native, jwk["kid"])
