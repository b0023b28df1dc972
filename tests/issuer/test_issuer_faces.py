"""The desk with the real matcher: real faces in, a decision with reasons out."""

from __future__ import annotations

from pathlib import Path

import pytest

from biometrics.dlib_matcher import DlibMatcher
from tests.issuer.world import World, picture

FACES = Path(__file__).parents[1] / "faces"


@pytest.fixture(scope="module")
def matcher() -> DlibMatcher:
    return DlibMatcher()


def face(name: str) -> bytes:
    return (FACES / f"{name}.jpg").read_bytes()


def test_the_persons_own_face_is_approved_with_evidence(world: World, matcher: DlibMatcher) -> None:
    world.matcher = matcher  # type: ignore[assignment]
    selfies = [picture(face(name)) for name in ("collins_selfie", "collins_selfie_2")]
    made = world.apply(portrait=picture(face("collins_document")), selfie=selfies)
    assert (made.status_code, made.json["decision"], made.json["reasons"]) == (201, "approved", [])
    assert made.json["evidence"]["liveness"]["method"] == "not performed"
    uri, tx_code = world.offer(made.json["id"])
    assert world.credential(world.token(uri, tx_code).json["access_token"]).status_code == 200


@pytest.mark.parametrize(
    ("portrait", "selfie", "code"),
    [
        ("no_face", "collins_selfie", "face.none"),
        ("collins_document", "two_faces", "face.several"),
        ("collins_document", "collins_dark", "face.dark"),
        ("collins_document", "collins_tiny", "face.small"),
    ],
)
def test_bad_pictures_are_declined_with_the_reason(
    world: World, matcher: DlibMatcher, portrait: str, selfie: str, code: str
) -> None:
    world.matcher = matcher  # type: ignore[assignment]
    made = world.apply(portrait=picture(face(portrait)), selfie=[picture(face(selfie))])
    assert (made.status_code, made.json["decision"]) == (201, "declined")
    assert code in {reason["code"] for reason in made.json["reasons"]}
    assert world.desk("POST", f"/desk/applications/{made.json['id']}/offer").status_code == 409


def test_a_file_that_is_no_picture_is_declined_too(world: World, matcher: DlibMatcher) -> None:
    world.matcher = matcher  # type: ignore[assignment]
    made = world.apply(portrait=picture(b"not a picture"), selfie=[picture(face("collins_selfie"))])
    assert made.json["decision"] == "declined"
    assert [reason["code"].split(".")[0] for reason in made.json["reasons"]] == ["image"]
