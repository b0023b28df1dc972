"""`make conformance`: do the W3C's own test suites, run against this house, pass as many tests as they should?

Needs Node, and a folder with checkouts of the suites in which `npm install` has been run (docs/conformance.md). Starts
`facet-issuer conformance` and `facet-verifier conformance` on free loopback ports, tells the suites where they are,
runs each suite found there, and prints a table. Nothing is written outside a temporary folder and the suites' own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.town import BIN, NotStarted, bootstrap, first_line, free_ports, stop

NAME = "Facet"
HOLDER = "Digital Bazaar"
"""The name under which two suites look for whoever derives credentials in their interop tests; here it is us."""

ROLES = ("issuer", "verifier")
SECONDS = 600
JOSE_FEATURES = tuple(f"{what}_{how}" for what in ("credential", "presentation") for how in ("jose", "sdjwt", "cose"))
THEN = "2024-12-16T02:00:00Z"
"""When the JOSE/COSE suite's tokens were good: one of them ended a day later."""

EXPECTED: Mapping[str, int] = {
    "vc-data-model-2.0-test-suite": 65,
    "vc-di-eddsa-test-suite": 57,
    "vc-di-ecdsa-test-suite": 133,
    "vc-di-bbs-test-suite": 81,
    "vc-di-ed25519signature2020-test-suite": 30,
    "vc-bitstring-status-list-test-suite": 20,
    "vc-api-issuer-test-suite": 13,
    "vc-api-verifier-test-suite": 18,
    "did-key-test-suite": 15,
    "did-resolution-mocha-test-suite": 29,
    "vc-jose-cose-test-suite": 35,
}
"""How many tests of each suite an implementation can pass; docs/conformance.md says which it cannot, and why."""

CURVES = ["P-256", "P-384"]
ISSUERS: tuple[tuple[str, list[str], dict[str, Any]], ...] = (
    ("eddsa-rdfc-2022", ["eddsa-rdfc-2022"], {}),
    ("vcdm", ["vc2.0"], {}),
    ("eddsa-jcs-2022", ["eddsa-jcs-2022"], {}),
    *(
        (f"{suite}@{curve}", [suite], {"supportedEcdsaKeyTypes": [curve]})
        for suite in ("ecdsa-rdfc-2019", "ecdsa-jcs-2019")
        for curve in CURVES
    ),
    ("ecdsa-sd-2023@P-256", ["ecdsa-sd-2023"], {"supportedEcdsaKeyTypes": ["P-256"]}),
    ("bbs-2023", ["bbs-2023"], {}),
    ("Ed25519Signature2020", ["Ed25519Signature2020", "vc-api"], {}),
    ("bitstring", ["BitstringStatusList"], {}),
    ("vc-jwt", ["EnvelopingProof"], {}),
)
"""The paths of `facet-issuer conformance`, and the tags by which suites choose among them."""


@dataclass(frozen=True)
class Place:
    """Two running services and the folder with everything that the suites must be told about them."""

    folder: Path
    urls: Mapping[str, str]
    dids: Mapping[str, str]


@dataclass(frozen=True)
class Result:
    """How one suite ended. `failures` are titles with the first line of what went wrong."""

    suite: str
    passed: int
    pending: int
    failures: tuple[tuple[str, str], ...]

    @property
    def expected(self) -> int:
        """How many tests should have passed."""
        return EXPECTED[self.suite]

    @property
    def good(self) -> bool:
        """Did no fewer pass than should?"""
        return self.passed >= self.expected


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suites; 0 when each passes what it should, 1 when one does not, 2 without suites, 3 without services."""
    asked = _arguments(arguments)
    found = [suite for suite in EXPECTED if (asked.suites / suite / "node_modules").is_dir()]
    chosen = [suite for suite in found if not asked.only or any(word in suite for word in asked.only)]
    if not chosen or shutil.which("node") is None:
        print(f"There is no `node` here, or {asked.suites} holds no suite with its packages.", file=sys.stderr)
        return 2
    results = []
    try:
        with running() as place:
            for suite in chosen:
                results.append(run(suite, asked.suites / suite, place))
                print(_line(results[-1]), flush=True)
                for title, reason in results[-1].failures:
                    print(f"    {title}\n        {reason}", flush=True)
    except NotStarted as failure:
        print(failure, file=sys.stderr)
        return 3
    print(f"{sum(result.passed for result in results)} of {sum(result.expected for result in results)} passed.")
    return 0 if all(result.good for result in results) else 1


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="conformance", description="Run the W3C test suites against this house.")
    parser.add_argument("suites", type=Path, help="folder with checkouts of the suites")
    parser.add_argument("--only", nargs="*", default=(), help="words in the names of the suites to run")
    return parser.parse_args(arguments)


def _line(result: Result) -> str:
    mark = "ok  " if result.good else "FAIL"
    counts = f"{result.passed:>4} of {result.expected:<4} {len(result.failures)} failed, {result.pending} pending"
    return f"{mark} {result.suite:<40} {counts}"


@contextmanager
def running() -> Iterator[Place]:
    """Both services with fresh keys, and the suites' configuration; all gone afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="facet-conformance-")))
        ports = free_ports()
        urls = {role: f"https://localhost:{ports[role]}" for role in ROLES}
        bootstrap(folder, urls)
        processes = {role: _start(role, ports[role], folder) for role in ROLES}
        stack.callback(stop, processes)
        told = {role: _told(role, processes[role], folder) for role in ROLES}
        place = Place(folder, urls, told["issuer"]["issuers"])
        (folder / "localConfig.cjs").write_text(f"module.exports = {json.dumps(configuration(place), indent=2)};\n")
        yield place


def _start(role: str, port: int, folder: Path) -> subprocess.Popen[str]:
    command = [str(BIN / f"facet-{role}"), "conformance", "--port", str(port), "--data", str(folder)]
    log = (folder / f"{role}.log").open("w")
    return subprocess.Popen(
        [*command, "--allow-loopback"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
    )


def _told(role: str, process: subprocess.Popen[str], folder: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(first_line(process.stdout, 60))
    except ValueError:
        tail = "\n".join((folder / f"{role}.log").read_text().splitlines()[-5:])
        raise NotStarted(f"facet-{role} conformance did not start.\n{tail}") from None
    return told


def configuration(place: Place) -> dict[str, Any]:
    """What the suites' `localConfig.cjs` holds: one implementation, its endpoints, and whose keys they use."""
    supports = {"vc": ["1.1", "2.0"]}
    did = place.dids["eddsa-rdfc-2022"]
    tags = list(dict.fromkeys(tag for _, its, _ in ISSUERS for tag in its))
    issuers = [
        {
            "id": place.dids[path],
            "endpoint": f"{place.urls['issuer']}/{path}/credentials/issue",
            "supports": supports,
            "tags": its,
            **more,
        }
        for path, its, more in ISSUERS
    ]
    verifier = {
        "id": did,
        # Some suites send these options, and some none; either way they ask about published vectors' proofs alone.
        "endpoint": f"{place.urls['verifier']}/credentials/verify?checks=proof",
        "supports": supports,
        "options": {"checks": ["proof"]},
        "supportedEcdsaKeyTypes": CURVES,
        "tags": tags,
    }
    implementation = {
        "name": NAME,
        "implementation": NAME,
        "issuers": issuers,
        "verifiers": [verifier],
        # One entry for each tag: a suite changes the options of the one that it was given.
        "vpVerifiers": [
            {"id": did, "endpoint": f"{place.urls['verifier']}/presentations/verify", "tags": [tag]}
            for tag in ("vc2.0", "EnvelopingProof")
        ],
        "vcHolders": [
            {
                "id": did,
                "endpoint": f"{place.urls['issuer']}/credentials/derive",
                "tags": ["vcHolder", "ecdsa-sd-2023", "bbs-2023"],
            }
        ],
        "didResolvers": [_resolver(place, did)],
        "jose-cose": {"features": dict.fromkeys(JOSE_FEATURES, True)},
    }
    holder = {"name": HOLDER, "implementation": HOLDER, "vcHolders": implementation.pop("vcHolders")}
    return {
        "settings": {"enableInteropTests": True, "testAllImplementations": False},
        "implementations": [implementation, holder],
    }


def _resolver(place: Place, did: str) -> dict[str, Any]:
    return {
        "id": did,
        "endpoint": f"{place.urls['verifier']}/identifiers",
        "tags": ["did-key", "did-resolution"],
        "supportedDids": {"valid": [{"did": did, "resolutionOptions": {}}]},
    }


def run(suite: str, folder: Path, place: Place) -> Result:
    """One suite's tests, all of them, in its own folder."""
    report = place.folder / f"{suite}.json"
    tools = place.folder / "tools"
    _container(tools)
    environment = {
        **os.environ,
        "APP_ROOT_PATH": str(place.folder),
        "ISSUER_NAME": NAME,
        "NODE_EXTRA_CA_CERTS": str(place.folder / "trust" / "tls-ca.pem"),
        "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    command = [
        _node(),
        *_flags(),
        "node_modules/mocha/bin/_mocha",
        "tests/",
        "--timeout",
        "30000",
        "--preserve-symlinks",
    ]
    command += ["--reporter", "json", "--reporter-option", f"output={report}"]
    with (place.folder / f"{suite}.log").open("w") as log:
        try:
            subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return Result(suite, 0, 0, ((suite, f"The suite did not end within {SECONDS} seconds."),))
    return _read(suite, report, place.folder / f"{suite}.log")


def _node() -> str:
    return shutil.which("node") or "node"


def _flags() -> list[str]:
    """Node 20 has the iterators' helpers that one suite uses, but not by default."""
    version = subprocess.run([_node(), "--version"], capture_output=True, text=True, check=True).stdout
    return ["--harmony-iterator-helpers"] if version.startswith("v20.") else []


def _read(suite: str, report: Path, log: Path) -> Result:
    try:
        told = json.loads(report.read_text())
    except (OSError, ValueError):
        tail = " | ".join(log.read_text().splitlines()[-5:])
        return Result(suite, 0, 0, ((suite, f"The suite did not run: {tail}"),))
    failures = [(one["fullTitle"], _reason(one)) for one in told["failures"]]
    return Result(suite, int(told["stats"]["passes"]), int(told["stats"]["pending"]), tuple(failures))


def _reason(failure: Mapping[str, Any]) -> str:
    message = str(failure.get("err", {}).get("message", "")).strip().splitlines()
    return message[0][:300] if message else "(no reason given)"


def _container(tools: Path) -> None:
    """What one suite runs as a container, as a small script: our command line, on the suite's own files."""
    tools.mkdir(exist_ok=True)
    script = tools / "docker"
    script.write_text(_SCRIPT.format(python=sys.executable, bin=BIN, then=THEN))
    script.chmod(script.stat().st_mode | stat.S_IXUSR)


_SCRIPT = """#!{python}
import pathlib, subprocess, sys
words = sys.argv[sys.argv.index("--rm") + 2:]
verb, rest = words[0], [word[1:] if word.startswith("/tests/") else word for word in words[1:]]
keys = sorted(pathlib.Path("tests/input").glob("vm-*.json"))
role = "issuer" if verb == "issue" else "verifier"
more = [] if verb == "issue" else [*(f"--trusted={{key}}" for key in keys), "--at", "{then}"]
pathlib.Path("tests/output").mkdir(exist_ok=True)
raise SystemExit(subprocess.run(["{bin}/facet-" + role, "jose-cose", verb, *rest, *more]).returncode)
"""


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"{time.monotonic() - started:.0f} seconds.")
    raise SystemExit(code)
