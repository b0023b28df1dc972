"""The camera of the test browser: what it sees is a video that ffmpeg makes from a picture.

Chromium plays the file named when it starts, and opens it anew each time a page turns the camera on; so one browser can
look at many things. The pixel format must be yuvj420p (others play as plain green, without an error), and every
picture gets the same size, because Chromium asks the file for its size only once.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 1280, 720
_FILL = f"pad={WIDTH}:{HEIGHT}:-1:-1:color=0x8a8f98"
_FIT = f"scale={WIDTH}:{HEIGHT}:force_original_aspect_ratio=decrease"
# A code on a screen as a hand-held phone sees it: turned a little, not quite sharp, with the noise of a small sensor.
_HELD = "rotate=0.07:fillcolor=0x8a8f98:ow=rotw(0.07):oh=roth(0.07),gblur=sigma=0.6,noise=alls=8:allf=t"


@dataclass(frozen=True)
class Box:
    """A part of a picture, in its pixels."""

    x: float
    y: float
    width: float
    height: float

    def around(self, share: float, scale: float) -> Box:
        """The same with a margin on each side, in the pixels of a picture that is `scale` times as large."""
        wide, high = self.width * share, self.height * share
        return Box(
            (self.x - wide) * scale,
            (self.y - high) * scale,
            (self.width + 2 * wide) * scale,
            (self.height + 2 * high) * scale,
        )


@dataclass(frozen=True)
class Camera:
    """The camera: `video` is the file that the browser was started with."""

    video: Path

    @property
    def flags(self) -> tuple[str, ...]:
        """What makes Chromium use it, without asking for permission."""
        return (
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={self.video}",
        )

    def see_face(self, picture: Path) -> None:
        """Point it at a person."""
        self._film(picture, f"{_FIT},{_FILL}")

    def see_code(self, picture: Path, *, at: Box | None = None) -> None:
        """Point it at a picture of a code, or at a part of a screenshot, as a hand would hold it."""
        cut = "" if at is None else f"crop={at.width:.0f}:{at.height:.0f}:{max(at.x, 0):.0f}:{max(at.y, 0):.0f},"
        self._film(picture, f"{cut}scale=560:560,{_HELD},{_FILL}")

    def _film(self, picture: Path, filters: str) -> None:
        made = self.video.with_suffix(".part")
        command = ["ffmpeg", "-v", "error", "-y", "-loop", "1", "-i", str(picture), "-frames:v", "6"]
        command += ["-vf", f"{filters},format=yuvj420p", "-c:v", "mjpeg", "-q:v", "4", "-f", "mjpeg", str(made)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        made.replace(self.video)
