"""COSE with an allow-list: signed messages (`sign1`), authenticated ones (`mac0`), keys, and the CBOR beneath them."""

from __future__ import annotations
