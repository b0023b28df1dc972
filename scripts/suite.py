"""The conformance suite's own interface: plans are made, modules started and watched, and their logs read."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from scripts.town import NotStarted

DONE = frozenset({"FINISHED", "INTERRUPTED"})
SECONDS = 40
_DOT = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A picture of one point: what stands where a person would put a screenshot."""

LIMITS: Mapping[str, str] = {
    "VerifyStatusListTokenSignatureUsingEmbeddedJwk": "outside HAIP the suite knows no status list signed through x5c",
    "EnsureIncomingTls12WithSecureCipherOrTls13": "its proxy, which would tell the TLS version, does not run here",
    "EnsureIncomingTls13": "its proxy, which would tell the TLS version, does not run here",
    "CheckForUnexpectedParametersInCredentialIssuerMetadata": "it knows no ldp_vc and no vc+jwt configurations",
    "VCICheckForOldSdJwtFormatInCredentialConfigurations": "it takes VC-JOSE-COSE's vc+sd-jwt for an old name",
    "VCIValidateFormatOfCredentialConfigurationsInMetadata": "it knows no ldp_vc and no vc+jwt configurations",
}
"""Conditions of the suite that fail or warn for a reason that is not ours; docs/conformance.md says more."""

BROKEN = ("replacement requested for missing condition", "JsonElement.isJsonPrimitive()")
"""What the suite's own exceptions say in two modules that it cannot run for some variants."""

_EASY = frozenset({"PASSED", "REVIEW", "WARNING", "SKIPPED"})


@dataclass(frozen=True)
class Module:
    """One test module of a plan, as the suite names it, with its variants."""

    name: str
    variant: Mapping[str, str]


@dataclass(frozen=True)
class Plan:
    """One plan of the suite as a scene wants it.

    `words` narrows to modules with one of them in the name. `pictures` says that the script fills the places of
    screenshots; else the suite's own browser does.
    """

    title: str
    name: str
    variant: Mapping[str, str]
    config: Mapping[str, Any]
    words: tuple[str, ...] = ()
    pictures: bool = True


@dataclass(frozen=True)
class Outcome:
    """What the suite said, what failed by its log, and what our own service said beside it (None when not asked)."""

    module: str
    result: str
    failures: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    ours: str | None = None

    @property
    def good(self) -> bool:
        """Did the suite find nothing wrong but its own limits, and did our service say what it should have?"""
        return self.ended and not self.failures and self.ours is None

    @property
    def void(self) -> bool:
        """Did the suite stop with an exception of its own, before our service had been asked anything?"""
        return any(words in failure for words in BROKEN for failure in self.failures)

    @property
    def ended(self) -> bool:
        """Did the module come to its end?"""
        return self.result in _EASY or (self.result == "FAILED" and bool(self.limits) and not self.failures)


class Suite:
    """The suite's own interface over HTTP."""

    def __init__(self, url: str, http: httpx.Client) -> None:
        self.url, self.http = url.rstrip("/"), http
        self._variants = {
            one["testName"]: {name: set(told["variantValues"]) for name, told in one.get("variants", {}).items()}
            for one in self._get("/api/runner/available")
        }

    def plan(self, name: str, variant: Mapping[str, str], config: Mapping[str, Any]) -> tuple[str, list[Module]]:
        """Make a plan; returns its id and modules."""
        query = {"planName": name, "variant": json.dumps(variant)}
        made = self._post("/api/plan", query, config)
        return str(made["id"]), [Module(one["testModule"], one.get("variant") or {}) for one in made["modules"]]

    def applies(self, module: str, variant: Mapping[str, str]) -> bool:
        """Is the module for these variants? The suite's own page hides those that are not."""
        values = self._variants.get(module, {})
        return all(value in values[name] for name, value in variant.items() if name in values)

    def start(self, plan: str, module: Module) -> str:
        """Start a module; returns the id of its run."""
        query = {"test": module.name, "plan": plan, "variant": json.dumps(module.variant)}
        return str(self._post("/api/runner", query, None)["id"])

    def status(self, run: str) -> Mapping[str, Any]:
        """How a run stands: `status`, `result`."""
        return dict(self._get(f"/api/info/{run}"))

    def runner(self, run: str) -> Mapping[str, Any]:
        """What a run shows while it lasts: `exposed` values and `browser` addresses to visit."""
        return dict(self._get(f"/api/runner/{run}"))

    def wait(self, run: str, *states: str, seconds: float = SECONDS) -> str:
        """Wait until a run is in one of the states or over; returns the state."""
        deadline = time.monotonic() + seconds
        while True:
            status = str(self.status(run)["status"])
            if status in states or status in DONE or time.monotonic() > deadline:
                return status
            time.sleep(0.15)

    def outcome(self, run: str, module: Module, *, ours: str | None) -> Outcome:
        """What became of a run, with what its log calls failures and warnings."""
        entries = self._get(f"/api/log/{run}")
        told = self.status(run)
        result = str(told.get("result") or told["status"])
        bad = [entry for entry in entries if entry.get("result") in {"FAILURE", "INTERRUPTED"}]
        return Outcome(
            module.name,
            result,
            failures=tuple(dict.fromkeys(_said(entry) for entry in bad if entry.get("src") not in LIMITS)),
            warnings=tuple(
                dict.fromkeys(_said(e) for e in entries if e.get("result") == "WARNING" and e.get("src") not in LIMITS)
            ),
            limits=tuple(dict.fromkeys(LIMITS[str(entry["src"])] for entry in bad if entry.get("src") in LIMITS)),
            ours=ours,
        )

    def visited(self, run: str, url: str) -> None:
        """Tell the suite that the person has opened an address."""
        self.http.post(f"{self.url}/api/runner/browser/{run}/visit", params={"url": url})

    def attest(self, run: str) -> None:
        """Fill the places where the suite wants a screenshot of a refusal: the script has read it from our service."""
        for entry in self._get(f"/api/log/{run}"):
            if entry.get("upload"):
                self.http.post(f"{self.url}/api/log/{run}/images/{entry['upload']}", content=_DOT)

    def stop(self, run: str) -> None:
        """End a run that does not end by itself."""
        self.http.delete(f"{self.url}/api/runner/{run}")

    def _get(self, path: str) -> Any:
        answer = self.http.get(self.url + path)
        answer.raise_for_status()
        return answer.json()

    def _post(self, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None) -> Any:
        answer = self.http.post(self.url + path, params=dict(query), json=body)
        if answer.status_code >= 400:
            raise NotStarted(f"The suite refused {path}: {answer.text[:500]}")
        return answer.json()


def _said(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('src', '')}: {str(entry.get('msg', ''))[:240]}"
