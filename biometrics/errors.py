"""What can go wrong around a face comparison: a file that is no usable picture, or models that are not there.

`biometrics` and `ssi` do not know each other, so these stand beside `ssi.errors` and have the same two fields.
"""

from __future__ import annotations


class BiometricsError(Exception):
    """A comparison could not be made at all; this says nothing about whose face it was.

    `code` is stable and dotted (`"image.truncated"`); `detail` is a sentence that tells a person what to do next.
    Neither ever holds anything measured on a face.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{detail} [{code}]")
        self.code = code
        self.detail = detail


class Unreadable(BiometricsError):
    """The bytes are not a picture that we are willing to decode."""


class ModelsUnavailable(BiometricsError):
    """The operator's installation lacks the model files, or they are not the files that were measured."""
