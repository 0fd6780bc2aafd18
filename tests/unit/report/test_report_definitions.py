"""Every figure has one definition, in the words of docs/kpis.md or of its mart, and none is made up here."""

from pathlib import Path

import pytest

from o2c.report.definitions import (
    IN_KPIS,
    IN_MARTS,
    Definition,
    DefinitionMissing,
    MartWords,
    load_definitions,
)

KPIS = Path(__file__).parents[3] / "docs" / "kpis.md"


def test_every_figure_of_the_page_is_defined_by_the_docs_as_they_stand(definitions: list[Definition]) -> None:
    assert sorted(one.anchor for one in definitions) == sorted([*IN_KPIS, *IN_MARTS])
    assert all(one.paragraphs and one.title for one in definitions)


def test_a_section_is_its_own_words_with_code_and_weight(tmp_path: Path) -> None:
    page = tmp_path / "kpis.md"
    sections = "\n".join(
        f'<a id="{anchor}"></a>\n## {anchor.title()}\n\nNet **receivables**\nover `sales`.\n\nColumn `x_days`.\n'
        for anchor in IN_KPIS
    )
    page.write_text(f"# Key figures\n\n{sections}")
    words = MartWords(
        "What it is.", dict.fromkeys((c for one in IN_MARTS.values() for c in one[2]), "Meaning.")
    )
    dso = next(
        one
        for one in load_definitions(page, {one[1]: words for one in IN_MARTS.values()})
        if one.anchor == "dso"
    )
    assert dso == Definition(
        "dso",
        "Dso",
        [
            [
                ("plain", "Net "),
                ("strong", "receivables"),
                ("plain", " over "),
                ("code", "sales"),
                ("plain", "."),
            ],
            [("plain", "Column "), ("code", "x_days"), ("plain", ".")],
        ],
        (),
        "kpis.md",
    )


def test_all_definitions_that_are_missing_are_named_at_once(
    tmp_path: Path, marts: dict[str, MartWords]
) -> None:
    page = tmp_path / "kpis.md"
    page.write_text(KPIS.read_text().replace('<a id="dso"></a>', "").replace('<a id="aging"></a>', ""))
    without = {**marts, "core.dim_customers": MartWords("Customers.", {})}
    del without["receivables.fct_deductions"]
    with pytest.raises(DefinitionMissing) as fault:
        load_definitions(page, without)
    said = str(fault.value)
    assert all(
        name in said
        for name in (
            "kpis.md#dso",
            "kpis.md#aging",
            "receivables.fct_deductions",
            "core.dim_customers.segment",
        )
    )
