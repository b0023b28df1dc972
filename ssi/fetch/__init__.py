"""Fetching: how are bytes brought from elsewhere, and what is never fetched?

`Fetch` is what everybody asks for; `BoundedFetch` is the real one. Nothing else in the house opens a connection.
"""

from __future__ import annotations

from ssi.fetch.bounded import BoundedFetch
from ssi.fetch.protocol import MAX_BYTES, Fetch, Response

__all__ = ["MAX_BYTES", "BoundedFetch", "Fetch", "Response"]
