"""What is a person told when a picture cannot be used, or does not match? One table: code and picture to a sentence.

Each sentence says what to do next. For a portrait it speaks about the document, for a selfie to the person in front of
the camera. Codes are stable; sentences may be improved.
"""

from __future__ import annotations

from biometrics.errors import Unreadable
from biometrics.matcher import Reason, Where

_SENTENCES: dict[tuple[str, Where], str] = {
    ("face.none", "portrait"): (
        "No face was found on the document portrait. Photograph the page straight from above, so that the portrait "
        "fills much of the picture, or choose the right file."
    ),
    ("face.none", "selfie"): (
        "No face was found. Look straight into the camera from arm's length, with the whole face uncovered."
    ),
    ("face.several", "portrait"): (
        "More than one face is on the document picture. Cut it down to the portrait, or photograph only that page."
    ),
    ("face.several", "selfie"): "More than one face is in view. Take the photo again with nobody else in the picture.",
    ("face.small", "portrait"): (
        "The face on the document picture is too small. Photograph the portrait from closer, or scan it larger."
    ),
    ("face.small", "selfie"): "The face is too small in the picture. Come closer to the camera.",
    ("face.dark", "portrait"): "The document picture is too dark. Take it again in better light, without shadow on it.",
    ("face.dark", "selfie"): "It is too dark to see the face. Turn towards a window or a lamp and try again.",
    ("face.bright", "portrait"): (
        "The document portrait is overexposed or reflects light. Tilt the document or move away from the lamp."
    ),
    ("face.bright", "selfie"): "The face is overexposed. Turn away from the strong light and try again.",
    ("face.blurred", "portrait"): (
        "The document portrait is blurred. Hold the camera still and let it focus, or scan the document."
    ),
    ("face.blurred", "selfie"): "The face is blurred. Hold still, wipe the lens, and wait until the picture is sharp.",
    ("selfie.none", "selfie"): "There is no selfie yet. Take at least one photo of the face.",
    ("selfie.too_many", "selfie"): "Too many selfies were sent. Send at most five.",
    ("selfie.copied", "selfie"): (
        "This is the same file as the document portrait or as another selfie. Take a new photo with the camera."
    ),
    ("face.frames_differ", "selfie"): (
        "The selfies do not look like one and the same person. Take them again, one right after the other."
    ),
    ("face.below_threshold", "selfie"): (
        "The selfie and the document portrait do not match well enough. Look straight into the camera in even light, "
        "take off dark glasses, and try again. If it still fails, ask the desk to look at the document and at you."
    ),
}

CODES = frozenset(code for code, _ in _SENTENCES)
"""Every code of this table; those of files that cannot be read (`image.*`) carry their own sentence."""


def reason(code: str, where: Where, frame: int | None = None) -> Reason:
    """The reason with this code for this picture.

    >>> reason("face.small", "selfie", 0).detail
    'The face is too small in the picture. Come closer to the camera.'
    """
    return Reason(code, _SENTENCES[code, where], where, frame)


def unreadable(error: Unreadable, where: Where, frame: int | None = None) -> Reason:
    """The reason for a file that is no usable picture."""
    return Reason(error.code, error.detail, where, frame)
