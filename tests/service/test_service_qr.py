"""Can a machine read the code that we draw, and a person who cannot see it know what it is?"""

from __future__ import annotations

import re

import pytest

from service.qr import QUIET_ZONE, modules, png, svg
from ssi.errors import Malformed

cv2 = pytest.importorskip("cv2")
np = pytest.importorskip("numpy")
zxingcpp = pytest.importorskip("zxingcpp")


@pytest.mark.parametrize(
    "text", ["hello", "openid4vp://?client_id=a&request_uri=https%3A%2F%2Fx", "x" * 700, "ü€", "a" * 2900]
)
def test_a_reader_reads_back_what_was_drawn(text: str) -> None:
    image = cv2.imdecode(np.frombuffer(png(text, scale=4), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert [found.text for found in zxingcpp.read_barcodes(image)] == [text]


def test_the_svg_path_covers_exactly_the_dark_modules() -> None:
    text = "https://verifier.example/oid4vp/abc"
    drawn = set()
    for x, y, width in re.findall(r"M(\d+) (\d+)h(\d+)v1h-\d+z", svg(text, label="x")):
        drawn |= {(int(x) + step, int(y)) for step in range(int(width))}
    dark = {
        (x + QUIET_ZONE, y + QUIET_ZONE)
        for y, row in enumerate(modules(text))
        for x, module in enumerate(row)
        if module
    }
    assert drawn == dark


def test_the_picture_is_named_and_the_name_is_escaped() -> None:
    picture = svg("x", label='QR "code" <of> a & b')
    assert 'role="img"' in picture
    assert 'aria-label="QR &quot;code&quot; &lt;of&gt; a &amp; b"' in picture
    assert "style=" not in picture


def test_a_text_that_no_code_holds_is_refused() -> None:
    with pytest.raises(Malformed, match=r"qr\.size"):
        svg("x" * 3000, label="x")
