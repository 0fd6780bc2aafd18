"""The pages to leaf through a batch: an index beside pages of a few letters each. No script, nothing remote."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from o2c.letter_message import Message
from o2c.locale_formats import amount_writer, letter_locale
from o2c.mime import one_line
from o2c.settings import PROJECT

# One page holds what a browser opens at once; a page per letter would double the number of files.
_LETTERS_PER_PAGE = 25

_PAGES = SandboxedEnvironment(
    loader=FileSystemLoader(PROJECT / "templates" / "outbox"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


class Leaves:
    """Writes pages as letters come and the index at the end; holds one page of letters and a line per letter."""

    def __init__(self, folder: Path, batch_id: str, as_of: date) -> None:
        self._folder, self._batch_id, self._as_of = folder, batch_id, as_of
        self._page: list[tuple[str, ...]] = []
        self._number = 1
        self._listed: list[tuple[object, ...]] = []
        self._sums: dict[tuple[str, int, str, str], tuple[int, Decimal]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._page.clear()

    def add(self, message: Message, state: str) -> None:
        """Take one letter; write a page when the page before is full."""
        if len(self._page) == _LETTERS_PER_PAGE:
            self._write_page(is_last=False)
        name = one_line(message.customer_name)
        self._page.append(
            (
                message.letter_id,
                name,
                message.to_address,
                message.subject,
                state,
                message.html,
                message.file_name,
                message.channel,
            )
        )
        self._listed.append(
            (
                self._name(self._number),
                message.letter_id,
                name,
                one_line(message.customer_id),
                message.level,
                message.stage,
                message.total,
                message.to_address,
                state,
                message.file_name,
                message.channel,
            )
        )
        key = (state, message.level, message.stage, message.currency_code)
        count, total = self._sums.get(key, (0, Decimal(0)))
        self._sums[key] = (count + 1, total + message.total_amount)

    def close(self, others: list[str]) -> None:
        """Write the last page and the index. ``others`` are files in the folder that this call did not bring."""
        if self._page:
            self._write_page(is_last=True)
        locale = letter_locale("en", None)
        view = {
            "batch_id": self._batch_id,
            "as_of": self._as_of.isoformat(),
            "letters": sorted(self._listed, key=lambda row: (str(row[2]).casefold(), str(row[1]))),
            "sums": [
                (state, stage, count, amount_writer(currency_code, locale)(total))
                for (state, _, stage, currency_code), (count, total) in sorted(self._sums.items())
            ],
            "others": others,
        }
        with (self._folder / "index.html").open("w", encoding="utf-8", newline="\n") as handle:
            handle.writelines(_PAGES.get_template("index.html.j2").generate(view))

    def _write_page(self, *, is_last: bool) -> None:
        page = _PAGES.get_template("page.html.j2").render(
            batch_id=self._batch_id,
            number=self._number,
            letters=self._page,
            previous=self._name(self._number - 1) if self._number > 1 else "",
            next="" if is_last else self._name(self._number + 1),
        )
        (self._folder / self._name(self._number)).write_text(page, encoding="utf-8", newline="\n")
        self._page = []
        self._number += 1

    @staticmethod
    def _name(number: int) -> str:
        return f"page-{number:04}.html"
