"""What the dbt project says of each published table, read from its YAML without dbt."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

# Folders of marts whose tables stand in a schema of another name, as in dbt_project.yml.
SCHEMA_OF_FOLDER = {"lineage": "core", "losses": "receivables"}


@dataclass(frozen=True)
class MartText:
    """A published table: what a row is, what each column says, which columns identify a row.

    ``nullable``: those columns of the key that may be null.
    """

    name: str
    description: str
    columns: dict[str, str]
    key: tuple[str, ...]
    nullable: frozenset[str] = frozenset()


def read_mart_texts(dbt_project: Path) -> dict[str, MartText]:
    """Every mart of the project by ``schema.table``, in the order of its name."""
    found = {}
    for path in sorted((dbt_project / "models" / "marts").glob("*/*.yml")):
        folder = path.parent.name
        for model in yaml.safe_load(path.read_text(encoding="utf-8")).get("models", []):
            name = f"{SCHEMA_OF_FOLDER.get(folder, folder)}.{model['name']}"
            key = _key(model)
            found[name] = MartText(
                name,
                _line(model["description"]),
                {column["name"]: _line(column.get("description", "")) for column in model["columns"]},
                tuple(key.get("columns", ())),
                frozenset(key.get("nullable", ())),
            )
    return dict(sorted(found.items()))


def _line(text: str) -> str:
    return " ".join(text.split())


def _key(model: dict[str, Any]) -> dict[str, Any]:
    for test in model.get("data_tests", []):
        if isinstance(test, dict) and "keyed_by" in test:
            return test["keyed_by"]["arguments"]
    return {}
