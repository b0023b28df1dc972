"""Requests whose uploaded files stay in memory: no portrait is ever spooled to disk, not even for a moment."""

from __future__ import annotations

from io import BytesIO
from typing import IO

from flask import Request


class MemoryRequest(Request):
    """A request whose multipart files are kept in memory; the body limit bounds how much that can be."""

    def _get_file_stream(
        self,
        total_content_length: int | None,  # the signature is Werkzeug's
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return BytesIO()
