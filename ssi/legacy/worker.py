"""The other process: DIDKit alone in a room with one door, through which calls come in and answers go out.

Started by `ssi.legacy.engine` as a script of its own; imports nothing of this house. Each message is four bytes of
length and JSON: a call is `[name, [argument, …]]`, an answer `["ok", text]` or `["error", text]`. Before the first call
the process gives up what it will not need: new files and sockets (DIDKit can then reach no network, whatever a document
asks for), memory beyond a limit, and core dumps. It leaves without the interpreter's finalisation, in which DIDKit's
threads would crash.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import select
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType

CALLS = ("issue_credential", "verify_credential", "issue_presentation", "verify_presentation", "dereference_did_url")
WARM_UP = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
_ORPHAN_SECONDS = 5


def main(door: int, *, memory: int) -> None:
    """Serve calls at the file descriptor `door` until it is closed or the process that asked is gone."""
    didkit, parent = import_module("didkit"), os.getppid()
    loop = asyncio.new_event_loop()
    answer(didkit, loop, json.dumps(["dereference_did_url", [WARM_UP, "{}"]]).encode())  # its threads start here
    renounce(memory=memory)
    write(door, b"ready")
    while (request := next_request(door, parent=parent)) is not None:
        write(door, answer(didkit, loop, request))


def answer(didkit: ModuleType, loop: asyncio.AbstractEventLoop, request: bytes) -> bytes:
    """One call of DIDKit, and what came of it."""
    name, arguments = json.loads(request)
    if name not in CALLS:
        return json.dumps(["error", "no such call"]).encode()

    async def call() -> str:
        return str(await getattr(didkit, name)(*arguments))

    try:
        return json.dumps(["ok", loop.run_until_complete(call())]).encode()
    except (ValueError, TypeError, RuntimeError, didkit.DIDKitException) as error:
        return json.dumps(["error", str(error)[:500]]).encode()


def renounce(*, memory: int) -> None:
    """No further file or socket, no more than `memory` bytes beyond what is mapped now, no core dump."""
    mapped = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (mapped + memory, mapped + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, 1))  # 0 is taken; `poll` fails where nothing is allowed


def next_request(door: int, *, parent: int) -> bytes | None:
    """The next call; None when the door is closed or the process that asked has died without closing it."""
    poll = select.poll()
    poll.register(door, select.POLLIN)
    while not poll.poll(_ORPHAN_SECONDS * 1000):
        if os.getppid() != parent:
            return None
    head = read(door, 4)
    return read(door, int.from_bytes(head, "big")) if head else None


def read(door: int, size: int) -> bytes | None:
    """Exactly `size` bytes, or None at the end."""
    data = b""
    while len(data) < size:
        part = os.read(door, size - len(data))
        if not part:
            return None
        data += part
    return data


def write(door: int, data: bytes) -> None:
    """One message out."""
    rest = len(data).to_bytes(4, "big") + data
    while rest:
        rest = rest[os.write(door, rest) :]


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]), memory=int(sys.argv[2]))
    finally:
        os._exit(0)  # DIDKit's threads crash the interpreter while it ends
