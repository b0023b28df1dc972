"""One town for each test."""

from __future__ import annotations

import pytest

from tests.conformance.town import Town


@pytest.fixture
def town() -> Town:
    return Town()
