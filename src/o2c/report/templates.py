"""The frame of the page: Jinja templates of one folder, sandboxed, escaping all, nothing undefined in them."""

from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup


class PageTemplate:
    """``templates/report``, compiled once. Only drawings of our own making are put in as they are."""

    def __init__(self, folder: Path) -> None:
        environment = SandboxedEnvironment(
            loader=FileSystemLoader(folder / "report"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["drawing"] = Markup
        self._page = environment.get_template("page.html.j2")

    def render(self, view: dict[str, Any]) -> str:
        """The page as text.

        Raises:
            jinja2.TemplateError: the template asks for what is not there.
        """
        return self._page.render(view) + "\n"
