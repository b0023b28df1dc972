"""DIDKit kept apart: each call runs in a process of its own, which can be stopped and reaches nothing else.

DIDKit 0.3.3 is archived, its threads crash the interpreter at exit and hang every forked child, and a computation in it
cannot be cancelled (docs/adr/0010-didkit.md). So this process never loads it. A worker is started when first needed and
kept; it is killed when a call exceeds its time, and a forked child starts workers of its own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import Final

from ssi.errors import Malformed, Unavailable, Unsupported

WORKERS: Final = 2
"""Calls that run at once; further ones wait their turn."""
CALL_SECONDS: Final = 5.0
START_SECONDS: Final = 20.0
MEMORY: Final = 256 * 1024 * 1024
_MAX_ANSWER: Final = 8 * 1024 * 1024
_SCRIPT: Final = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Worker:
    """One DIDKit process and the door to it."""

    process: subprocess.Popen[bytes]
    door: socket.socket

    def ask(self, name: str, arguments: list[str], *, until: float) -> tuple[str, str]:
        """One call; its answer's kind and text. After an OSError (TimeoutError too) or ValueError, stop the worker."""
        data = json.dumps([name, arguments]).encode()
        self.door.settimeout(_left(until))
        self.door.sendall(len(data).to_bytes(4, "big") + data)
        kind, text = json.loads(self.receive(until=until))
        return str(kind), str(text)

    def receive(self, *, until: float) -> bytes:
        """One message. Raises OSError, ValueError."""
        size = int.from_bytes(self._read(4, until), "big")
        if size > _MAX_ANSWER:
            raise ValueError
        return self._read(size, until)

    def _read(self, size: int, until: float) -> bytes:
        data = bytearray()
        while len(data) < size:
            self.door.settimeout(_left(until))
            part = self.door.recv(size - len(data))
            if not part:
                raise ConnectionResetError
            data += part
        return bytes(data)

    def stop(self) -> None:
        """End the process now."""
        _stop(self.process, self.door, os.getpid())


@dataclass(frozen=True)
class Engine:
    """The workers of one process of ours; safe to share between its threads."""

    script: Path = _SCRIPT
    call_seconds: float = CALL_SECONDS
    memory: int = MEMORY
    _idle: list[Worker] = field(default_factory=list, repr=False)
    _turns: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(WORKERS), repr=False)

    def call(self, name: str, *arguments: str) -> str:
        """What DIDKit answers, as text that nobody has judged yet.

        Raises Malformed (`didkit.refused`) where DIDKit itself refuses the arguments, Unavailable (`didkit.timeout`,
        `didkit.busy`, `didkit.stopped`), Unsupported (`didkit.unavailable`).
        """
        if not self._turns.acquire(timeout=self.call_seconds):
            raise Unavailable("didkit.busy", "Too many older proofs are being worked on now.")
        try:
            with self._worker() as worker:
                kind, text = worker.ask(name, list(arguments), until=monotonic() + self.call_seconds)
        finally:
            self._turns.release()
        if kind != "ok":
            raise Malformed("didkit.refused", "DIDKit refuses what it was given.")
        return text

    @contextmanager
    def _worker(self) -> Iterator[Worker]:
        """A worker for one call: kept afterwards when it answered, stopped when it did not."""
        worker, answered = self._idle_worker() or _start(self.script, self.memory), False
        try:
            yield worker
            answered = True
        except TimeoutError:
            raise Unavailable("didkit.timeout", "DIDKit did not answer in time.") from None
        except (OSError, ValueError):
            raise Unavailable("didkit.stopped", "DIDKit stopped while it worked on this.") from None
        finally:
            if answered:
                self._idle.append(worker)
            else:
                worker.stop()

    def _idle_worker(self) -> Worker | None:
        try:
            return self._idle.pop()
        except IndexError:  # also when another thread was quicker
            return None

    def close(self) -> None:
        """Stop the workers that have nothing to do."""
        while (worker := self._idle_worker()) is not None:
            worker.stop()


def engine() -> Engine:
    """This process's engine. A forked child gets its own, since its parent's workers answer the parent."""
    return _engine_of(os.getpid())


@lru_cache(maxsize=1)
def _engine_of(pid: int) -> Engine:
    return Engine()


@lru_cache(maxsize=1)
def available() -> bool:
    """Is DIDKit's package here? Its wheels exist for Linux and CPython up to 3.12 only."""
    return find_spec("didkit") is not None


def _start(script: Path, memory: int) -> Worker:
    if not available() or not sys.executable:
        raise Unsupported(
            "didkit.unavailable", "Older proof formats need the didkit package, which has no wheel for this platform."
        )
    ours, theirs = socket.socketpair()
    with theirs:
        command = [sys.executable, "-P", str(script), str(theirs.fileno()), str(memory)]
        process = subprocess.Popen(
            command,
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C at the terminal is for us; we then stop it
        )
    worker = Worker(process, ours)
    weakref.finalize(worker, _stop, process, ours, os.getpid())  # also when this process ends
    try:
        worker.receive(until=monotonic() + START_SECONDS)
    except (OSError, ValueError):
        worker.stop()
        raise Unavailable("didkit.stopped", "DIDKit did not start.") from None
    return worker


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _stop(process: subprocess.Popen[bytes], door: socket.socket, owner: int) -> None:
    """Close the door and end the process; a forked child only closes its copy of its parent's door."""
    door.close()
    if os.getpid() == owner:
        process.kill()
        process.wait()
