"""The built-in matcher on real pictures: who is accepted, who is refused and with which reason, and what is kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biometrics.dlib_matcher import FAR_1E3, FAR_1E4, DlibMatcher, _judge
from biometrics.faces import Embedding
from biometrics.matcher import FaceMatcher, MatchDecision, Reason, Threshold
from biometrics.reasons import CODES
from tests.biometrics.conftest import FACES, Face

SESSION = ("collins_selfie.jpg", "collins_selfie_2.jpg", "collins_selfie_3.jpg")


def whys(decision: MatchDecision) -> list[tuple[str, str, int | None]]:
    return [(reason.code, reason.where, reason.frame) for reason in decision.reasons]


@pytest.mark.parametrize("portrait", ["collins.jpg", "collins_document.jpg"])
def test_the_same_person_is_accepted(portrait: str, matcher: FaceMatcher, face: Face) -> None:
    decision = matcher.compare(face(portrait), [face(name) for name in SESSION])
    assert decision.accepted
    assert decision.reasons == ()
    assert (decision.evidence.frames_given, decision.evidence.frames_used) == (3, 3)
    assert decision.evidence.result == "verified"


def test_the_strict_threshold_accepts_the_session_too(face: Face) -> None:
    decision = DlibMatcher(threshold=FAR_1E4).compare(face("collins.jpg"), [face("collins_selfie.jpg")])
    assert decision.accepted
    assert decision.evidence.claims()["biometricMatch"]["confidenceBand"] == "far<=1e-4"


def test_another_person_is_refused(matcher: FaceMatcher, face: Face, stranger: bytes) -> None:
    decision = matcher.compare(face("collins.jpg"), [stranger])
    assert whys(decision) == [("face.below_threshold", "selfie", None)]
    assert decision.evidence.result == "not-verified"
    assert "confidenceBand" not in decision.evidence.claims()["biometricMatch"]


def test_two_people_in_one_session_are_refused(matcher: FaceMatcher, face: Face, stranger: bytes) -> None:
    decision = matcher.compare(face("collins.jpg"), [face(SESSION[0]), face(SESSION[1]), stranger])
    assert whys(decision) == [("face.frames_differ", "selfie", None)]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no_face.jpg", "face.none"),
        ("two_faces.jpg", "face.several"),
        ("collins_tiny.jpg", "face.small"),
        ("collins_dark.jpg", "face.dark"),
        ("collins_bright.jpg", "face.bright"),
        ("collins_blurred.jpg", "face.blurred"),
    ],
)
def test_each_unusable_selfie_has_its_reason(name: str, code: str, matcher: FaceMatcher, face: Face) -> None:
    decision = matcher.compare(face("collins.jpg"), [face(name)])
    assert not decision.accepted
    assert whys(decision) == [(code, "selfie", 0)]
    assert decision.evidence.result == "not-compared"
    assert decision.evidence.frames_used == 0


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no_face.jpg", "face.none"),
        ("two_faces.jpg", "face.several"),
        ("collins_dark.jpg", "face.dark"),
        ("collins_blurred.jpg", "face.blurred"),
    ],
)
def test_each_unusable_portrait_has_its_reason(name: str, code: str, matcher: FaceMatcher, face: Face) -> None:
    decision = matcher.compare(face(name), [face("collins_selfie.jpg")])
    assert whys(decision) == [(code, "portrait", None)]


def test_all_that_is_wrong_is_said_at_once(matcher: FaceMatcher, face: Face) -> None:
    decision = matcher.compare(face("collins.jpg")[:5000], [face("collins_dark.jpg"), b"GIF89a"])
    assert whys(decision) == [
        ("image.truncated", "portrait", None),
        ("face.dark", "selfie", 0),
        ("image.type", "selfie", 1),
    ]


def test_an_unusable_frame_is_left_out_while_another_remains(matcher: FaceMatcher, face: Face) -> None:
    decision = matcher.compare(face("collins.jpg"), [face("collins_blurred.jpg"), face("collins_selfie.jpg")])
    assert decision.accepted
    assert (decision.evidence.frames_given, decision.evidence.frames_used) == (2, 1)
    assert decision.evidence.claims()["biometricMatch"]["selfieFrames"] == 1


def test_a_file_counts_once_and_the_documents_own_is_no_selfie(matcher: FaceMatcher, face: Face) -> None:
    portrait, selfie = face("collins.jpg"), face("collins_selfie.jpg")
    own = matcher.compare(portrait, [portrait])
    assert whys(own) == [("selfie.copied", "selfie", 0)]
    assert (own.accepted, own.evidence.result) == (False, "not-compared")
    mixed = matcher.compare(portrait, [selfie, portrait, selfie])
    assert mixed.accepted
    assert (mixed.evidence.frames_given, mixed.evidence.frames_used) == (3, 1)


def test_the_number_of_selfies_is_bounded(matcher: FaceMatcher, face: Face) -> None:
    assert whys(matcher.compare(face("collins.jpg"), [])) == [("selfie.none", "selfie", None)]
    assert whys(matcher.compare(face("collins.jpg"), [b""] * 6)) == [("selfie.too_many", "selfie", None)]


def test_cut_selfies_are_reasons_and_not_exceptions(matcher: FaceMatcher, face: Face) -> None:
    selfie = face("collins_selfie.jpg")
    for length in (1, 3, 20, 200, 700, len(selfie) // 2, len(selfie) - 1):
        decision = matcher.compare(face("no_face.jpg"), [selfie[:length]])
        assert [reason.where for reason in decision.reasons] == ["portrait", "selfie"]
        assert decision.reasons[1].code.startswith("image.")


@settings(max_examples=12)
@given(st.data())
def test_changed_selfies_always_get_an_answer(matcher: FaceMatcher, data: st.DataObject) -> None:
    changed = bytearray((FACES / "collins_tiny.jpg").read_bytes())
    for _ in range(data.draw(st.integers(1, 20))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    decision = matcher.compare(b"", [bytes(changed)])
    assert decision.reasons[0].code == "image.empty"


def test_threads_share_one_matcher(matcher: FaceMatcher, face: Face) -> None:
    portrait, frames = face("collins_document.jpg"), [face(name) for name in (*SESSION, "collins_tiny.jpg")]
    with ThreadPoolExecutor(4) as pool:
        decisions = list(pool.map(lambda frame: matcher.compare(portrait, [frame]), frames))
    assert [decision.accepted for decision in decisions] == [True, True, True, False]


def unit(*values: float) -> Embedding:
    made = np.zeros(128)
    made[: len(values)] = values
    return np.asarray(made / np.linalg.norm(made), np.float64)


def at(cosine: float, side: int = 1) -> Embedding:
    """An embedding with this cosine to the first axis."""
    return unit(cosine, *([0.0] * (side - 1)), (1 - cosine**2) ** 0.5)


def test_the_score_is_the_mean_of_the_frames() -> None:
    document, least = unit(1.0), float(FAR_1E3.value)
    assert _judge(document, [at(0.931)], least=least) == ()
    assert [reason.code for reason in _judge(document, [at(0.929)], least=least)] == ["face.below_threshold"]
    assert _judge(document, [at(0.92), at(0.96)], least=least) == ()
    assert [reason.code for reason in _judge(document, [at(0.92), at(0.935)], least=least)] == ["face.below_threshold"]


def test_a_perfect_frame_cannot_carry_another_face() -> None:
    document = unit(1.0)
    assert [reason.code for reason in _judge(document, [document, at(0.90)], least=0.93)] == ["face.frames_differ"]
    apart = [at(0.94, side=1), at(0.94, side=2)]  # each near the document, but not near each other
    assert [reason.code for reason in _judge(document, apart, least=0.93)] == ["face.frames_differ"]


def leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    else:
        yield value


def test_evidence_says_what_was_and_what_was_not_done(matcher: FaceMatcher, face: Face) -> None:
    claims = matcher.compare(face("collins.jpg"), [face("collins_selfie.jpg")]).evidence.claims()
    assert claims["type"] == ["Evidence", "BiometricVerificationEvidence"]
    assert claims["tier"] == "built-in demonstration"
    assert claims["liveness"] == {"method": "not performed", "padTested": "none"}
    assert claims["biometricMatch"] == {
        "type": "BiometricMatch",
        "biometricModality": "face",
        "matchResult": "verified",
        "threshold": {"metric": "cosine", "value": "0.930", "calibration": "lfw-view2@2a620cd8"},
        "selfieFrames": 1,
        "confidenceBand": "far<=1e-3",
    }
    assert claims["biometricModel"] == {
        "type": "BiometricMatchingModel",
        "matchingModel": "dlib_face_recognition_resnet_model_v1",
        "digestMultibase": "uEiBVUzsoqVgApVG6VGumL-aWJcfpWnBhwzit_-rQhxnaMA",
    }
    assert "matchDate" not in claims
    assert "assuranceLevel" not in json.dumps(claims)


def test_evidence_is_dated_in_utc(matcher: FaceMatcher) -> None:
    evidence = matcher.compare(b"", []).evidence
    assert evidence.claims(at=datetime(2026, 11, 22, 15, 0, tzinfo=UTC))["matchDate"] == "2026-11-22T15:00:00Z"
    moved = datetime(2026, 11, 22, 15, 0, tzinfo=timezone(timedelta(hours=2)))
    assert evidence.claims(at=moved)["matchDate"] == "2026-11-22T13:00:00Z"


def test_nothing_measured_leaves_the_matcher(
    face: Face, stranger: bytes, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    matcher = DlibMatcher()
    decisions = [matcher.compare(face("collins.jpg"), [frame]) for frame in (face("collins_selfie.jpg"), stranger)]
    same, other = (decision.evidence.claims() for decision in decisions)
    assert all(isinstance(leaf, str | int) for leaf in leaves(same))
    match_same, match_other = dict(same.pop("biometricMatch")), dict(other.pop("biometricMatch"))
    assert same == other  # the same words about every face: nothing else differs than the result and its band
    differing = {"matchResult", "confidenceBand"}
    assert {key: match_same[key] for key in match_same.keys() - differing} == {
        key: match_other[key] for key in match_other.keys() - differing
    }
    assert "array" not in repr(decisions) + repr(vars(matcher))
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_every_reason_tells_what_to_do_next(matcher: FaceMatcher, face: Face) -> None:
    assert {"face.none", "face.several", "face.small", "face.dark", "face.blurred", "face.below_threshold"} <= CODES
    reason = matcher.compare(face("collins.jpg"), [face("collins_tiny.jpg")]).reasons[0]
    assert reason == Reason(
        "face.small", "The face is too small in the picture. Come closer to the camera.", "selfie", 0
    )


def test_only_measured_thresholds_are_taken() -> None:
    with pytest.raises(ValueError, match="calibrated"):
        DlibMatcher(threshold=Threshold("cosine", "0.80", "far<=1e-4", "a guess"))


def test_a_decision_cannot_contradict_itself(matcher: FaceMatcher) -> None:
    refused = matcher.compare(b"", [])
    with pytest.raises(ValueError, match="accepted exactly when"):
        MatchDecision(accepted=True, reasons=(), evidence=refused.evidence)
