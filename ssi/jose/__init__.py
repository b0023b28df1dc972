"""JOSE with an allow-list: signed tokens (`jws`) and encrypted ones (`jwe`), compact form only."""

from __future__ import annotations

from ssi.jose.jws import MAX_JWS_BYTES, Jws, parse, sign, verify, x5c

__all__ = ["MAX_JWS_BYTES", "Jws", "parse", "sign", "verify", "x5c"]
