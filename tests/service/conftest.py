"""A client of the toy role."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.service.toy import toy


@pytest.fixture
def client() -> FlaskClient:
    return toy().test_client()
