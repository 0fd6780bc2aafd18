"""What docs/sources.md shows is accepted as it stands there, and the contract it lists is the contract."""

import re
from pathlib import Path

import pytest
import yaml

from o2c.contract import TABLES
from o2c.sources.definition import load_definition
from o2c.sources.model import ColumnSpec, Dialect

TEXT = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.startswith("source:")])
def test_every_whole_definition_is_accepted(tmp_path, block):
    path = tmp_path / "shown.yml"
    path.write_text(block, encoding="utf-8")

    assert load_definition(path).tables


def test_every_shown_column_and_dialect_is_accepted():
    (columns,) = (block for block in BLOCKS if block.startswith("# columns"))
    (dialect,) = (block for block in BLOCKS if block.startswith("# dialect"))

    shown = yaml.load(columns, yaml.BaseLoader)  # noqa: S506  # builds text, lists and mappings only
    specs = [
        ColumnSpec.model_validate({"column": spec} if isinstance(spec, str) else spec)
        for spec in shown.values()
    ]
    assert len(specs) == len(shown) > 10
    assert Dialect.model_validate(yaml.load(dialect, yaml.BaseLoader)).delimiter == ";"  # noqa: S506  # as above


def test_every_key_of_the_language_is_shown():
    from o2c.sources.model import DefinitionSpec, FileSpec, Join, OnePer, TableSpec

    models = (DefinitionSpec, FileSpec, Dialect, ColumnSpec, TableSpec, Join, OnePer)
    keys = {field.alias or name for model in models for name, field in model.model_fields.items()}
    assert {key for key in keys if not re.search(rf"\b{key}\b", TEXT)} == set()


def test_the_listed_contract_is_the_contract():
    for table in TABLES.values():
        (line,) = re.findall(rf"^\*\*{table.name}\*\*: (.*)$", TEXT, re.MULTILINE)
        listed = re.findall(r"`(\w+)`(\*?)", line)
        assert listed == [(column.name, "*" if column.required else "") for column in table.columns]
