"""The words and the frame that every page of these tests has."""

import json
from collections.abc import Callable, Generator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import vl_convert
import yaml
from report_rows import AS_OF

from o2c.report.definitions import Definition, MartWords, load_definitions
from o2c.report.page import render_page
from o2c.report.reading import Figures
from o2c.report.templates import PageTemplate

ROOT = Path(__file__).parents[3]
_DRAW = vl_convert.vegalite_to_svg
# Folders of the marts whose schema has another name.
SCHEMAS = {"losses": "receivables", "lineage": "core"}


@pytest.fixture(scope="session")
def marts() -> dict[str, MartWords]:
    """What the dbt project says of its marts, read from its YAML as it stands."""
    found = {}
    for path in sorted((ROOT / "dbt_project" / "models" / "marts").glob("*/*__models.yml")):
        schema = SCHEMAS.get(path.parent.name, path.parent.name)
        for model in yaml.load(path.read_text(), yaml.CSafeLoader)["models"]:
            columns = {column["name"]: column.get("description", "") for column in model["columns"]}
            found[f"{schema}.{model['name']}"] = MartWords(model["description"], columns)
    return found


@pytest.fixture(scope="session")
def definitions(marts: dict[str, MartWords]) -> list[Definition]:
    return load_definitions(ROOT / "docs" / "kpis.md", marts)


@pytest.fixture(scope="session")
def real_drawing() -> Callable[..., str]:
    return _DRAW


@pytest.fixture(scope="session", autouse=True)
def _drawn_once() -> Generator[None]:
    """The same drawing is made once for all pages of these tests; test_drawing makes it twice."""
    draw, drawn = _DRAW, {}

    def once(spec: dict[str, Any], **options: Any) -> str:
        key = json.dumps(spec, sort_keys=True)
        if key not in drawn:
            drawn[key] = draw(spec, **options)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", once)
        yield


@pytest.fixture(scope="session")
def page_of(definitions: list[Definition]) -> Callable[..., str]:
    template = PageTemplate(ROOT / "templates")

    def render(figures: Figures, as_of: date = AS_OF) -> str:
        return render_page(figures, definitions, template, as_of, run_id="r1", policy_version="p1")

    return render
