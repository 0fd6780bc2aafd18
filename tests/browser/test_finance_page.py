"""The page that finance opens, in a browser: of a small run, on screens light and dark, narrow and wide, on paper."""

import json
import re
from pathlib import Path

import pytest
from browser import NAMES, find, first_pixel, pdf_pages, visit

from flows.nightly import NightlyRun, play
from o2c.demo import generate
from o2c.home import SourceEntry, init_home
from o2c.report.shelf import page_path

if find() is None:
    pytest.skip(
        f"none of {', '.join(NAMES)} is installed: install the system's Chromium, then run `make test-browser`",
        allow_module_level=True,
    )

# Chromium's own switch for what a system says of its colours: 0 is dark, 1 is light.
DARK, LIGHT = "--blink-settings=preferredColorScheme=0", "--blink-settings=preferredColorScheme=1"
# Texts of a drawing that lie on each other, and what is wider than the window. Runs in a copy that allows scripts.
MEASURES = """
<script>
const lying = [];
for (const svg of document.querySelectorAll("svg")) {
  const texts = [...svg.querySelectorAll("text")].map(one => [one.textContent, one.getBoundingClientRect()]);
  texts.forEach(([word, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
    if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
        && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 3) lying.push(word + " / " + other);
  }));
  const frame = svg.getBoundingClientRect();
  for (const [word, box] of texts)
    if (box.left < frame.left - 2 || box.right > frame.right + 4) lying.push(word + " / edge");
}
const found = {lying, over: document.documentElement.scrollWidth - window.innerWidth,
  drawings: document.querySelectorAll("svg").length};
document.body.innerHTML = "<pre>found " + JSON.stringify(found) + " end</pre>";
</script>
"""


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a run on a generated ledger of 300 invoices."""
    folder = tmp_path_factory.mktemp("small")
    ledger = generate(folder / "ledger", invoices=300, seed=7)
    init_home(folder / "home", simulated=True, auto_approve=True)
    play(
        NightlyRun(home=folder / "home", sources=(SourceEntry(path=ledger.folder),), as_of_date=ledger.as_of),
        lambda _line: None,
    )
    return page_path(folder / "home" / "published", ledger.as_of)


def with_script(page: Path, folder: Path, script: str) -> Path:
    """A copy of the page that may run a script, to measure with."""
    free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text())
    copy = folder / "copy.html"
    copy.write_text(free.replace("</body>", f"{script}</body>"))
    return copy


def test_the_page_opens_without_a_complaint_and_asks_the_network_for_nothing(
    page: Path, tmp_path: Path
) -> None:
    seen = visit(page, tmp_path, "--dump-dom")
    assert "Receivables as of 30 September 2026" in seen.out
    assert (seen.console, seen.requests) == ([], [])


def test_a_page_with_a_fault_would_be_noticed(page: Path, tmp_path: Path) -> None:
    copy = with_script(page, tmp_path, "<script>nothing.there</script><img src='https://x.example/a.png'>")
    seen = visit(copy, tmp_path, "--dump-dom")
    assert "nothing is not defined" in "".join(seen.console)
    assert seen.requests == ["https://x.example/a.png"]


def test_its_own_rule_keeps_a_script_from_running(page: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.html"
    copy.write_text(page.read_text().replace("</body>", "<script>document.title='ran'</script></body>"))
    seen = visit(copy, tmp_path, "--dump-dom")
    assert "<title>ran</title>" not in seen.out
    assert "Content Security Policy" in "".join(seen.console)


def test_it_prints_on_a4_on_a_sane_number_of_pages(page: Path, tmp_path: Path) -> None:
    visit(page, tmp_path, "--no-pdf-header-footer", f"--print-to-pdf={tmp_path / 'page.pdf'}")
    pages = pdf_pages(tmp_path / "page.pdf")
    assert {(round(width), round(height)) for width, height in pages} == {(595, 842)}
    assert 8 <= len(pages) <= 40


def test_it_follows_what_the_system_says_of_its_colours(page: Path, tmp_path: Path) -> None:
    corners = []
    for scheme in (LIGHT, DARK):
        shot = tmp_path / "shot.png"
        visit(page, tmp_path, scheme, "--window-size=1180,1600", f"--screenshot={shot}")
        corners.append(first_pixel(shot))
    assert corners == [(255, 255, 255), (18, 22, 27)]


@pytest.mark.parametrize("width", [1440, 900, 500])
def test_no_words_of_a_drawing_lie_on_others_and_nothing_is_wider_than_the_window(
    page: Path, tmp_path: Path, width: int
) -> None:
    copy = with_script(page, tmp_path, MEASURES)
    seen = visit(copy, tmp_path, f"--window-size={width},1200", "--dump-dom")
    found = json.loads(re.search(r"found (\{.*\}) end", seen.out)[1].replace("&quot;", '"'))  # type: ignore[index]
    assert found["drawings"] > 8
    assert (found["lying"], max(found["over"], 0)) == ([], 0)
