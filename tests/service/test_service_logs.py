"""What a service writes to its log: what is news, and nothing else."""

from __future__ import annotations

import json
import logging
import logging.config

import pytest

from service import logs


def test_the_number_of_waiting_threads_is_no_news(capsys: pytest.CaptureFixture[str]) -> None:
    granian = logging.getLogger("_granian")
    before = granian.level, granian.filters[:], logging.getLogger().handlers[:], logging.getLogger().level
    try:
        logging.config.dictConfig(logs.configuration("INFO"))
        granian.warning("Configuration allows spawning up to 256 Python threads, which seems quite high")
        granian.warning("A worker has crashed")
    finally:
        granian.level, granian.filters[:], logging.getLogger().handlers[:], logging.getLogger().level = before
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "A worker has crashed"
