"""docs/bi.md says what is there: its tables, its metrics, its commands, its Python."""

import re
from pathlib import Path

import pytest
import yaml
from releases import release

from o2c.cli import _parser
from o2c.home import open_home
from o2c.mart_texts import read_mart_texts
from o2c.publish_notes import LIST, RUN

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "bi.md").read_text()
SEMANTIC = ROOT / "dbt_project" / "models" / "semantic"


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_table_that_it_names_is_published() -> None:
    named = set(re.findall(r"`((?:core|receivables|collections|quality)\.\w+)`", PAGE))
    assert len(named) > 15
    assert named - set(read_mart_texts(ROOT / "dbt_project")) == {RUN.name, LIST.name}


def test_it_names_every_metric_with_its_description() -> None:
    metrics = [
        metric
        for path in ("key_figures.yml", "movements_and_losses.yml")
        for metric in yaml.safe_load((SEMANTIC / path).read_text())["metrics"]
    ]
    _, _, section = PAGE.partition("## Which metric")
    told = re.findall(r"^\| `(\w+)` \| (.*) \|$", section.partition("## ")[0], re.MULTILINE)
    assert told == [(metric["name"], metric["description"]) for metric in metrics]
    saved = yaml.safe_load((SEMANTIC / "key_figures.yml").read_text())["saved_queries"]
    assert [one["name"] for one in saved if f"`{one['name']}`" not in PAGE] == []


def test_its_commands_are_commands() -> None:
    (commands,) = blocks("sh")
    for line in commands.splitlines():
        name, *arguments = line.split()
        assert name == "o2c"
        assert _parser().parse_args(arguments).to == "postgresql://o2c@db.example.com/finance"


def test_its_python_shows_the_key_figures(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    home = open_home(tmp_path)
    tables = {
        "receivables.fct_ar_kpis": "select date '2026-03-11' as as_of_date, 'E1' as entity_id,"
        " 'EUR' as currency_code, cast(12 as decimal(18, 4)) as closing_net_amount"
    }
    release(home, 1, tables)
    (python,) = blocks("python")
    exec(python.replace("var/published", str(home.published)), {})  # noqa: S102
    assert "12.0000" in capsys.readouterr().out


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((\w+\.md)\)", PAGE)
    assert len(links) >= 3
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []
