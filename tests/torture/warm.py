"""The test's side of ``warm_pipeline``: starts of the command, each with what became of it."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from o2c.settings import PROJECT

KILLED = -9


@dataclass(frozen=True)
class Ended:
    """How one start of the command ended; ``trace`` are its durable steps in order, ``output`` what it said."""

    code: int
    seconds: float
    orphans: list[str]
    trace: list[str]
    output: str

    @property
    def was_killed(self) -> bool:
        return self.code == KILLED


class Warm:
    """A warm process that starts `o2c` as a child of its own for each call of ``run``."""

    def __init__(self, folder: Path, short_cuts: Path | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._short_cuts = folder, short_cuts
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("warm_pipeline.py"))],
            cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._read()

    def run(self, *arguments: str, **how: Any) -> Ended:
        """Start the command and wait for its end.

        Args:
            how: ``die_at``, the durable step at which it kills itself; ``die_after``, seconds after which it is killed
                with all that it started; ``full_at``, the step from which on the disk is full; ``largest_file``, in
                bytes; ``environment``.
        """
        return self.run_at_once((arguments, how))[0]

    def run_at_once(self, *starts: tuple[tuple[str, ...], dict[str, Any]]) -> list[Ended]:
        """Start several commands at one instant and wait for all of them."""
        orders = []
        for number, (arguments, how) in enumerate(starts):
            files = {name: str(self._folder / f"{name}-{number}") for name in ("trace", "output")}
            for path in files.values():
                Path(path).write_bytes(b"")
            short_cuts = str(self._short_cuts) if self._short_cuts else None
            orders.append({"arguments": arguments, "short_cuts": short_cuts, **files, **how})
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(orders) + "\n")
        self._process.stdin.flush()
        return [
            Ended(
                **said,
                trace=Path(order["trace"]).read_text().splitlines(),
                output=Path(order["output"]).read_text(),
            )
            for said, order in zip(self._read(), orders, strict=True)
        ]

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the warm process has ended"
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)
