"""Coverage-guided fuzzing (`make fuzz`): each target for some seconds, or one target for as long as it is told.

An input that breaks something is kept in tests/fuzz/found/<target>/ and tried by every test run from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.fuzz.targets import FOUND, TARGETS, by_name


def main() -> int:
    """Fuzz one target after the other; exit 1 when anything broke."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--target", choices=[target.name for target in TARGETS], help="only this one")
    parser.add_argument("--seconds", type=int, default=20, help="for each target")
    given, broken = parser.parse_args(), []
    for target in TARGETS if given.target is None else [by_name(given.target)]:
        with tempfile.TemporaryDirectory() as folder:
            if not _fuzzed(target.name, given.seconds, Path(folder)):
                broken.append(target.name)
    print(f"{len(broken)} broken{': ' + ', '.join(broken) if broken else ''}")
    return 1 if broken else 0


def _fuzzed(name: str, seconds: int, folder: Path) -> bool:
    """Run one target in a process of its own, for libFuzzer ends the process that it finds something in."""
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(by_name(name).seeds()):
        (corpus / str(number)).write_bytes(seed)
    options = [f"-max_total_time={seconds}", f"-artifact_prefix={folder}/", "-rss_limit_mb=2048", "-timeout=5"]
    command = [sys.executable, "-m", "tests.fuzz.one", name, *options, "-verbosity=0", str(corpus)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    print(f"{name}: {'ok' if done.returncode == 0 else 'BROKEN'}")
    if done.returncode == 0:
        return True
    print(done.stderr[-3000:], file=sys.stderr)
    for artifact in folder.glob("*-*"):
        if artifact.is_file():
            data = artifact.read_bytes()
            kept = FOUND / name / hashlib.sha256(data).hexdigest()[:16]
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(data)
            print(f"kept {kept.name}", file=sys.stderr)
    return False


if __name__ == "__main__":
    raise SystemExit(main())
