"""The words of the letters: subject, text, HTML and SMS templates by stage, sandboxed, nothing undefined in them."""

import re
from functools import cached_property
from pathlib import Path
from typing import Any

from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from o2c.letter_checks import LetterFault
from o2c.letter_pdf import Words

_STAGE = re.compile(r"[a-z][a-z0-9_]*")
_BLOCK = re.compile(r"\{% block (\w+) %\}\n?(.*?)\{% endblock %\}(\n?)", re.DOTALL)


class Templates:
    """The letters of one folder, compiled once. Names in data never choose a file: only a stage of the policy does.

    A stage's file fills the blocks of its layout. That is done on the text, when it is loaded: inheritance would hand
    each piece of each letter through two generators.
    """

    def __init__(self, folder: Path) -> None:
        options: dict[str, Any] = {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True}
        self._folder = folder / "letters"
        self._html = SandboxedEnvironment(autoescape=True, **options)
        # The text parts and subjects are no HTML: escaping would show &amp; to the reader. Values are cleaned instead.
        self._text = SandboxedEnvironment(autoescape=False, **options)
        self._known: dict[str, tuple[Template, Template, Template]] = {}
        self._texts: dict[str, Template] = {}
        self._blocks: dict[str, dict[str, Template]] = {}

    @cached_property
    def legal_warning(self) -> str:
        """The reviewed sentence that a final notice may say, and no more than it."""
        return self._read("legal_warning.txt").strip()

    def of(self, stage: str) -> tuple[Template, Template, Template]:
        """Subject, text and HTML template of a stage.

        Raises:
            LetterFault: there is no such letter in the folder.
        """
        if stage not in self._known:
            _check_name(stage)
            self._known[stage] = (
                self._text.from_string(self._read(f"{stage}.subject.j2")),
                self._text.from_string(self._filled("base.txt.j2", f"{stage}.txt.j2")),
                self._html.from_string(self._filled("base.html.j2", f"{stage}.html.j2")),
            )
        return self._known[stage]

    def sms_of(self, stage: str) -> Template:
        """The text message of a stage.

        Raises:
            LetterFault: there is none in the folder.
        """
        if stage not in self._texts:
            _check_name(stage)
            self._texts[stage] = self._text.from_string(self._read(f"{stage}.sms.j2").strip())
        return self._texts[stage]

    def words(self, stage: str, view: dict[str, Any]) -> Words:
        """What the text template of a stage says around the figures, for the PDF.

        Raises:
            LetterFault: there is no such letter in the folder.
        """
        if stage not in self._blocks:
            _check_name(stage)
            words = {
                block: words
                for name in ("base.txt.j2", f"{stage}.txt.j2")
                for block, words, _ in _BLOCK.findall(self._read(name))
            }
            self._blocks[stage] = {block: self._text.from_string(text) for block, text in words.items()}
        return Words(**{block: rendered(text, view) for block, text in self._blocks[stage].items()})

    def _filled(self, layout: str, name: str) -> str:
        """The layout with its blocks filled from a stage's file; a block that the file leaves out keeps its own."""
        fillings = {block: words for block, words, _ in _BLOCK.findall(self._read(name))}
        return _BLOCK.sub(lambda found: fillings.get(found[1], found[2]), self._read(layout))

    def _read(self, name: str) -> str:
        try:
            return (self._folder / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LetterFault(f"there is no template {name} in {self._folder}") from None


def _check_name(stage: str) -> None:
    if _STAGE.fullmatch(stage or "") is None:
        raise LetterFault(f"stage {stage!r} is not a name of a template")


def rendered(template: Template, view: dict[str, Any]) -> str:
    """``template.render`` without copying the view twice."""
    return "".join(template.root_render_func(template.new_context(view, shared=True)))
