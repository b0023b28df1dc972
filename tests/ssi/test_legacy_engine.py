"""DIDKit in a process of its own: what it breaks, it breaks there."""

from __future__ import annotations

import asyncio
import json
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ssi.errors import Malformed, Unavailable, Unsupported
from ssi.legacy import engine as engines
from ssi.legacy import worker
from ssi.legacy.engine import Engine

DID = worker.WARM_UP
ROOT = Path(__file__).parents[2]
needs_didkit = pytest.mark.skipif(not engines.available(), reason="no didkit wheel for this platform")

ONCE = f"""
from ssi.legacy.engine import engine
print(engine().call("dereference_did_url", "{DID}", "{{}}")[:11])
"""
FORK = f"""
import os, signal
from ssi.legacy.engine import engine
ask = lambda: engine().call("dereference_did_url", "{DID}", "{{}}")
before = ask()
child = os.fork()
if child == 0:
    signal.alarm(60)
    os._exit(0 if ask() == before else 1)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert ask() == before
"""
FORK_AND_END = f"""
import os, sys
from ssi.legacy.engine import engine
ask = lambda: engine().call("dereference_did_url", "{DID}", "{{}}")
before = ask()
child = os.fork()
if child == 0:
    sys.exit(0)  # ends as a process does that never asks: its parent's worker must live on
assert os.waitpid(child, 0)[1] == 0
assert ask() == before
"""
ECHO = """
while worker.next_request(door, parent=os.getppid()):
    worker.write(door, b'["ok", "%d"]' % os.getpid())
"""


@pytest.fixture
def made() -> Iterator[list[Engine]]:
    engines_: list[Engine] = []
    yield engines_
    for each in engines_:
        each.close()


def script(folder: Path, body: str) -> Path:
    """A worker that says that it is ready and then does something else than DIDKit would."""
    path = folder / "worker.py"
    path.write_text(f"""
import os, sys
sys.path.insert(0, {str(Path(worker.__file__).parent)!r})
import worker
door = int(sys.argv[1])
worker.write(door, b"ready")
{body}
""")
    return path


def run(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@needs_didkit
def test_twenty_short_lives_end_well() -> None:
    for _ in range(5):
        for process in [run(ONCE) for _ in range(4)]:
            out, err = process.communicate(timeout=120)
            assert (process.returncode, out, err) == (0, '{"@context"\n', "")


@needs_didkit
@pytest.mark.parametrize("code", [FORK, FORK_AND_END])
def test_a_forked_child_does_not_hang(code: str) -> None:
    process = run(code)
    assert process.communicate(timeout=120) == ("", "")
    assert process.returncode == 0


@needs_didkit
def test_a_worker_ends_with_the_process_that_asked() -> None:
    code = ONCE + "\nimport os\nprint(engine()._idle[0].process.pid, flush=True)\nos._exit(0)  # no farewell\n"
    process = run(code)
    out, _ = process.communicate(timeout=120)
    pid = int(out.split()[-1])
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return  # it has ended already
    watch = select.poll()
    watch.register(descriptor, select.POLLIN)
    try:
        assert watch.poll(60_000)
    finally:
        os.close(descriptor)


@needs_didkit
def test_calls_are_answered_and_a_worker_is_kept(made: list[Engine]) -> None:
    made.append(Engine())
    documents = [json.loads(made[0].call("dereference_did_url", DID, "{}")) for _ in range(3)]
    assert [each["id"] for each in documents] == [DID] * 3
    assert len(made[0]._idle) == 1
    with pytest.raises(Malformed, match="refused"):
        made[0].call("verify_credential", "no JSON", "{}")
    with pytest.raises(Malformed, match="refused"):
        made[0].call("generate_ed25519_key")
    assert len(made[0]._idle) == 1


@needs_didkit
def test_no_network_is_reached_even_when_asked(made: list[Engine]) -> None:
    made.append(Engine())
    with pytest.raises(Malformed, match="refused"):
        made[0].call("dereference_did_url", "did:web:example.com#key", "{}")


def test_many_threads_share_few_workers(tmp_path: Path, made: list[Engine]) -> None:
    made.append(Engine(script=script(tmp_path, ECHO)))
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(made[0].call("x"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    assert len(set(answers)) <= engines.WORKERS


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("worker.read(door, 1 << 30)", "didkit.timeout"),
        ("import signal; signal.pause()", "didkit.timeout"),
        ("worker.read(door, 9)", "didkit.stopped"),
        ("worker.next_request(door, parent=0); worker.write(door, b'no JSON')", "didkit.stopped"),
        ("worker.next_request(door, parent=0); worker.write(door, b'[]')", "didkit.stopped"),
        ("worker.next_request(door, parent=0); os.write(door, bytes([255] * 4))", "didkit.stopped"),
    ],
)
def test_a_worker_that_fails_is_stopped(tmp_path: Path, made: list[Engine], body: str, code: str) -> None:
    made.append(Engine(script=script(tmp_path, body), call_seconds=0.3 if "timeout" in code else 30))
    with pytest.raises(Unavailable, match=code):
        made[0].call("verify_credential", "x" * 1_000_000)
    assert made[0]._idle == []


def test_an_interrupted_call_leaves_no_worker(tmp_path: Path, made: list[Engine]) -> None:
    made.append(Engine(script=script(tmp_path, "worker.read(door, 1 << 30)")))

    with pytest.raises(KeyboardInterrupt), made[0]._worker():
        raise KeyboardInterrupt
    assert made[0]._idle == []


def test_a_worker_that_does_not_start(tmp_path: Path) -> None:
    path = tmp_path / "worker.py"
    path.write_text("raise SystemExit(1)")
    with pytest.raises(Unavailable, match=r"didkit\.stopped"):
        Engine(script=path).call("verify_credential")


def test_those_who_wait_too_long_are_told() -> None:
    with pytest.raises(Unavailable, match=r"didkit\.busy"):
        Engine(call_seconds=0.01, _turns=threading.Semaphore(0)).call("verify_credential")


def test_a_platform_without_didkit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "available", lambda: False)
    with pytest.raises(Unsupported, match=r"didkit\.unavailable"):
        Engine().call("verify_credential")


# --- inside the worker ------------------------------------------------------------------------------------------------


class Didkit(ModuleType):
    """Stands in for the package, in this process."""

    class DIDKitException(Exception):
        pass

    async def verify_credential(self, document: str, options: str) -> str:
        if document == "bad":
            raise ValueError("unreadable")
        if document == "worse":
            raise self.DIDKitException("also unreadable")
        return document + options

    async def dereference_did_url(self, url: str, options: str) -> str:
        return url


def test_the_worker_answers_calls_it_knows() -> None:
    loop, didkit = asyncio.new_event_loop(), Didkit("didkit")

    def ask(*call: Any) -> Any:
        return json.loads(worker.answer(didkit, loop, json.dumps(call).encode()))

    assert ask("verify_credential", ["a", "b"]) == ["ok", "ab"]
    assert ask("verify_credential", ["bad", ""]) == ["error", "unreadable"]
    assert ask("verify_credential", ["worse", ""]) == ["error", "also unreadable"]
    assert ask("verify_credential", [])[0] == "error"
    assert ask("did_auth", []) == ["error", "no such call"]
    loop.close()


def test_the_worker_serves_until_its_door_closes(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    monkeypatch.setitem(sys.modules, "didkit", Didkit("didkit"))
    monkeypatch.setattr(worker, "renounce", lambda *, memory: None)
    request = json.dumps(["verify_credential", ["a", "b"]]).encode()
    ours.sendall(len(request).to_bytes(4, "big") + request)
    ours.shutdown(socket.SHUT_WR)
    worker.main(theirs.fileno(), memory=0)
    with ours, theirs:
        assert ours.recv(100) == b'\x00\x00\x00\x05ready\x00\x00\x00\x0c["ok", "ab"]'


def test_the_worker_notices_that_it_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_ORPHAN_SECONDS", 0)
    ours, theirs = os.pipe()
    try:
        assert worker.next_request(ours, parent=-1) is None
        os.write(theirs, b"\x00\x00\x00\x05abc")
        os.close(theirs)
        assert worker.next_request(ours, parent=-1) is None
    finally:
        os.close(ours)


def test_the_worker_renounces_files_sockets_and_memory() -> None:
    code = f"""
import socket, sys
sys.path.insert(0, {str(Path(worker.__file__).parent)!r})
import worker
worker.renounce(memory=64 << 20)
for use in (socket.socket, lambda: open("/dev/null")):
    try:
        use()
    except OSError:
        pass
    else:
        sys.exit("a file or socket was opened")
try:
    bytearray(256 << 20)
except MemoryError:
    pass
else:
    sys.exit("memory was taken")
"""
    process = run(code)
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == 0
