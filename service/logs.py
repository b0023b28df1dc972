"""Logs: one JSON object to a line on stderr, without personal data."""

from __future__ import annotations

import logging
import logging.config
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import orjson

_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """Writes a record's time, level, logger and message, its `extra` members, and a traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **{name: value for name, value in vars(record).items() if name not in _OWN},
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class News(logging.Filter):
    """Lets pass what is news: that many threads may wait is meant so (`service.patience`), and no cause to warn."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Not granian's word on the number of threads."""
        return not record.getMessage().startswith("Configuration allows spawning up to")


def level_of(environ: Mapping[str, str]) -> str:
    """The level that FACET_LOG_LEVEL names; INFO when it names none.

    >>> level_of({"FACET_LOG_LEVEL": "debug"}), level_of({"FACET_LOG_LEVEL": "loud"})
    ('DEBUG', 'INFO')
    """
    level = environ.get("FACET_LOG_LEVEL", "").upper()
    return level if level in {"DEBUG", "INFO", "WARNING", "ERROR"} else "INFO"


def configuration(level: str) -> dict[str, Any]:
    """A `logging.config.dictConfig` that sends everything to stderr as JSON lines (granian's own lines too)."""
    silent = {"handlers": [], "propagate": True}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "service.logs.JsonLines"}},
        "filters": {"news": {"()": "service.logs.News"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
        "root": {"level": level, "handlers": ["stderr"]},
        "loggers": {
            "_granian": {**silent, "level": "WARNING", "filters": ["news"]},
            "granian.access": dict(silent),
            "httpx": {"level": "WARNING"},
        },
    }


def to_stderr(level: str) -> None:
    """Configure this process so; for commands. Workers get the same through the server."""
    logging.config.dictConfig(configuration(level))
