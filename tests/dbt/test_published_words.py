"""What people read about the published tables: every table and column says something, and to every reader the same."""

import re

from flows import _dbt
from o2c.mart_texts import read_mart_texts

TEXTS = read_mart_texts(_dbt.PROJECT)


def marts():
    nodes = _dbt._manifest("build", ()).nodes.values()
    return {
        f"{node.schema}.{node.name}": node
        for node in nodes
        if node.resource_type == "model" and node.original_file_path.startswith("models/marts/")
    }


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+", text.lower())) - {"a", "an", "the", "of", "in", "its", "is"}


def test_words_and_keys_are_read_without_dbt_as_dbt_reads_them():
    assert {name: (text.description, text.columns) for name, text in TEXTS.items()} == {
        name: (
            " ".join(node.description.split()),
            {column.name: column.description for column in node.columns.values()},
        )
        for name, node in marts().items()
    }
    assert {mart.name: mart.key for mart in _dbt.list_marts(_dbt.PROJECT / "build.duckdb")} == {
        name: text.key for name, text in TEXTS.items()
    }


def test_no_description_only_repeats_its_name():
    silent = [
        (name, column, said)
        for name, text in TEXTS.items()
        for column, said in {"": text.description, **text.columns}.items()
        if len(said) < 8 or (column and words(said) <= words(column.replace("_", " ")))
    ]
    assert sum(len(text.columns) for text in TEXTS.values()) > 600
    assert silent == []


def test_descriptions_are_sentences():
    unfinished = [
        (name, column, said)
        for name, text in TEXTS.items()
        for column, said in {"": text.description, **text.columns}.items()
        if not said.endswith((".", "…"))
    ]
    assert unfinished == []
