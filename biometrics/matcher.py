"""Is the person on the selfies the person on the document? The question, the answer, and what may be said of it later.

An answer holds no picture, no template and no score: what a matcher measured on a face stays inside its `compare`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

Where = Literal["portrait", "selfie"]
Result = Literal["verified", "not-verified", "not-compared"]

_SHA2_256 = b"\x12\x20"  # the multihash prefix: function code, digest length


@dataclass(frozen=True)
class Reason:
    """Why a comparison was refused: a stable code, and a sentence that tells a person what to do next.

    `where` names the picture; `frame` counts selfies from 0, and is None where no single one is meant.
    """

    code: str
    detail: str
    where: Where
    frame: int | None = None


@dataclass(frozen=True)
class Model:
    """A model file, named so that anybody can check which one it was."""

    name: str
    sha256: str

    @property
    def multibase(self) -> str:
        """The digest as a multihash in base64url multibase (the form of W3C `digestMultibase`)."""
        digest = _SHA2_256 + bytes.fromhex(self.sha256)
        return "u" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@dataclass(frozen=True)
class Threshold:
    """From which similarity on two faces count as one person's, and where that number comes from.

    `band` is the false accept rate that the calibration supports, as an upper bound; `calibration` names the data.
    """

    metric: str
    value: str
    band: str
    calibration: str


@dataclass(frozen=True)
class MatchEvidence:
    """What was done, in terms that can be put into a credential: methods, digests and counts; nothing of a face."""

    matcher: str
    tier: str
    embedder: Model
    landmarks: Model
    threshold: Threshold
    frames_given: int
    frames_used: int
    result: Result

    def claims(self, *, at: datetime | None = None) -> dict[str, Any]:
        """The evidence as claims (strings, integers and objects only), dated when the time is given.

        The names follow the W3C Confidence Method draft (`BiometricMatch`, `BiometricMatchingModel`), which is
        experimental; embedded images and vectors, which that draft also knows, are left out on purpose. The band is
        stated, and only for a match; a score never is. No assurance level is claimed.
        """
        match: dict[str, Any] = {
            "type": "BiometricMatch",
            "biometricModality": "face",
            "matchResult": self.result,
            "threshold": {
                "metric": self.threshold.metric,
                "value": self.threshold.value,
                "calibration": self.threshold.calibration,
            },
            "selfieFrames": self.frames_used,
        }
        if self.result == "verified":
            match["confidenceBand"] = self.threshold.band
        claims: dict[str, Any] = {
            "type": ["Evidence", "BiometricVerificationEvidence"],
            "verificationMethod": "face-match-1to1",
            "matcher": self.matcher,
            "tier": self.tier,
            "biometricMatch": match,
            "biometricModel": _model(self.embedder),
            "landmarkModel": _model(self.landmarks),
            "liveness": {"method": "not performed", "padTested": "none"},
        }
        if at is not None:
            claims["matchDate"] = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return claims


@dataclass(frozen=True)
class MatchDecision:
    """The answer. `reasons` is empty exactly when it was accepted."""

    accepted: bool
    reasons: tuple[Reason, ...]
    evidence: MatchEvidence

    def __post_init__(self) -> None:
        if self.accepted != (not self.reasons) or self.accepted != (self.evidence.result == "verified"):
            raise ValueError("a decision is accepted exactly when it has no reasons and its evidence says verified")


class FaceMatcher(Protocol):
    """Compares one document portrait with the selfie frames of one person."""

    NAME: str

    def compare(self, portrait: bytes, selfies: Sequence[bytes]) -> MatchDecision:
        """Decide whether all pictures show one person.

        Pictures that cannot be used are reasons in the decision, not exceptions. Nothing that was passed in or
        measured is kept, logged or returned. Raises BiometricsError when the matcher itself cannot work
        (`models.*`).
        """


def _model(model: Model) -> dict[str, Any]:
    return {"type": "BiometricMatchingModel", "matchingModel": model.name, "digestMultibase": model.multibase}
