"""Words of the page and its drawings can be read on light and on dark ground (WCAG 2.1, 1.4.3: a contrast of 4.5)."""

import re
from pathlib import Path

import pytest

from o2c.report.palette import BENCHMARK, DARK, INK, MAIN, SOFT, TARGET

STYLE = (Path(__file__).parents[3] / "templates" / "report" / "style.css.j2").read_text()
ROOTS = [dict(re.findall(r"--(\w+): (#\w+)", root)) for root in re.findall(r":root \{([^}]*)\}", STYLE)]


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_black_on_white_has_the_contrast_that_the_standard_says() -> None:
    assert contrast("#000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["ground", "band"])
@pytest.mark.parametrize("ink", ["ink", "soft", "link", "good", "bad"])
def test_words_stand_out_from_their_ground(scheme: int, ground: str, ink: str) -> None:
    assert contrast(ROOTS[scheme][ink], ROOTS[scheme][ground]) >= 4.5


@pytest.mark.parametrize("colour", [INK, SOFT, MAIN, BENCHMARK, TARGET])
def test_words_and_lines_of_drawings_stand_out_in_both(colour: str) -> None:
    assert contrast(colour, ROOTS[0]["ground"]) >= 4.5
    assert contrast(DARK[colour], ROOTS[1]["ground"]) >= 4.5
