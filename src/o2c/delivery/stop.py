"""The brake that anybody can pull: a file named STOP in the home. While it is there, nothing is posted."""

from collections.abc import Callable
from pathlib import Path

_LONGEST_REASON = 200


def stop_file(home: Path) -> Callable[[], str | None]:
    """A function that says why nothing may leave now, or None. Ask it before every letter.

    What cannot be read stops as well: a link to nowhere, a folder of that name, a file of somebody else's.
    """
    path = home / "STOP"

    def reason() -> str | None:
        try:
            path.lstat()
        except FileNotFoundError:
            return None
        except OSError:
            return "STOP cannot be looked at"
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return "STOP"
        return " ".join(text.split())[:_LONGEST_REASON] or "STOP"

    return reason
