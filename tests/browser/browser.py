"""The system's Chromium, without extra packages: open a page, see what it complains of, draw it, print it."""

import json
import re
import shutil
import subprocess
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--no-first-run", "--no-pings", "--enable-logging=stderr",
)  # fmt: skip


@dataclass(frozen=True)
class Visit:
    """What one opening of a page gave."""

    out: str
    console: Sequence[str]
    requests: Sequence[str]


def find() -> str | None:
    """The first of the usual names that is installed."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


def visit(page: Path, folder: Path, *options: str) -> Visit:
    """Open a file with a fresh profile; everything it asks the network for is refused and noted.

    Args:
        folder: for the profile and the log of requests.
        options: what else to do, such as ``--dump-dom``.
    """
    binary, log = find(), folder / "requests.json"
    assert binary is not None
    done = subprocess.run(
        [
            binary,
            *_FLAGS,
            f"--user-data-dir={folder / 'profile'}",
            f"--log-net-log={log}",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            *options,
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return Visit(done.stdout, said, _requests(log))


def _requests(log: Path) -> list[str]:
    """Addresses that a page asked for, but those of files: the page itself.

    The browser asks its maker for updates and the time, whatever it is told; such requests have no origin.
    """
    events = [event.get("params", {}) for event in json.loads(log.read_text())["events"]]
    asked = {
        one["url"]
        for one in events
        if "url" in one and one.get("initiator", "not an origin") != "not an origin"
    }
    return sorted(url for url in asked if not url.startswith(("file:", "data:")))


def first_pixel(png: Path) -> tuple[int, int, int]:
    """Colour of the upper left corner: of the first pixel no filter of PNG changes anything (PNG, section 9)."""
    content = png.read_bytes()
    data, at = b"", 8
    while at < len(content):
        size, kind = int.from_bytes(content[at : at + 4]), content[at + 4 : at + 8]
        data += content[at + 8 : at + 8 + size] if kind == b"IDAT" else b""
        at += size + 12
    red, green, blue = zlib.decompress(data)[1:4]
    return red, green, blue


def pdf_pages(pdf: Path) -> list[tuple[float, float]]:
    """Width and height of each page in points."""
    content = pdf.read_bytes()
    boxes = re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", content)
    count = len(re.findall(rb"/Type\s*/Page\b", content))
    assert len(boxes) == count
    return [(float(width), float(height)) for width, height in boxes]
