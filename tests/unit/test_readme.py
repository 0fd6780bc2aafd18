"""What the documents tell people to type and to open is there."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from o2c import cli
from o2c.settings import PROJECT

DOCUMENTS = [PROJECT / "README.md", PROJECT / "CONTRIBUTING.md", *sorted((PROJECT / "docs").glob("*.md"))]
# Words of a synopsis, each by something that can be typed.
VALUES = {
    "D": "2026-09-30",
    "DATE": "2026-09-30",
    "FILE...": "FILE",
    "N": "200",
    "NAME": "Kim",
    "INSTANT": "now",
}


def code(document: Path) -> Iterator[str]:
    """Lines of code blocks without their comments, and what stands between backticks."""
    parts = re.split(r"^```.*$", document.read_text(), flags=re.MULTILINE)
    for number, part in enumerate(parts):
        if number % 2:
            yield from (line.split("  #")[0].strip() for line in part.splitlines())
        else:
            yield from re.findall(r"`([^`\n]+)`", part)


def spelt_out(synopsis: str) -> list[list[str]]:
    """Every command that a synopsis stands for: with and without ``[...]``, each side of ``a|b``."""
    whole = synopsis.replace("\\|", "|")
    forms = [re.sub(r"\[[^]]*\]", "", whole), whole.replace("[", "").replace("]", "")]
    found: list[list[str]] = []
    for form in dict.fromkeys(forms):
        lines: list[list[str]] = [[]]
        for word in shlex.split(form):
            lines = [[*line, VALUES.get(one, one)] for line in lines for one in word.split("|")]
        found += lines
    return found


def o2c_commands() -> list[str]:
    """``o2c …`` as the documents have it; what begins elsewhere (``.venv/bin/o2c``) is the same command."""
    return sorted(
        {
            text.partition("o2c ")[2]
            for document in DOCUMENTS
            for text in code(document)
            if re.match(r"(\.venv/bin/)?o2c [a-z-]", text)
        }
    )


def make_targets() -> set[str]:
    return {
        target
        for document in DOCUMENTS
        for text in code(document)
        for target in re.findall(r"^make ([a-z]+)", text)
    }


@pytest.mark.parametrize("command", o2c_commands())
def test_every_command_in_the_documents_can_be_typed(command: str) -> None:
    for arguments in spelt_out(command):
        if re.fullmatch(r"[a-z -]+", command):  # only mentioned by its name
            with pytest.raises(SystemExit) as end:
                cli._parser().parse_args([*arguments, "--help"])
            assert end.value.code == 0
        else:
            assert cli._parser().parse_args(arguments).call is not None


def test_documents_name_commands_and_targets_to_try() -> None:
    assert len(o2c_commands()) >= 8
    assert make_targets() >= {"demo", "test", "check", "bench"}


def test_every_make_target_in_the_documents_is_there_and_listed_by_make_help() -> None:
    told = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  make (\S+)", told, re.MULTILINE))
    there = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert make_targets() - there == set()
    assert there - listed == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_leads_to_something(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", document.read_text())
    missing = [
        link
        for link in links
        if "://" not in link
        and not link.startswith("#")
        and not (document.parent / link.partition("#")[0]).exists()
    ]
    assert missing == []


def test_the_readme_lists_exactly_the_deployments_that_there_are() -> None:
    section = (PROJECT / "README.md").read_text().partition("## Flows")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| ([a-z0-9-]+) \|", section, re.MULTILINE)[1:]
    deployed = [one["name"] for one in yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]]
    assert sorted(listed) == sorted(deployed)


def test_every_deployment_starts_at_a_flow_that_is_there() -> None:
    for one in yaml.safe_load((PROJECT / "prefect.yaml").read_text())["deployments"]:
        path, _, name = one["entrypoint"].partition(":")
        assert re.search(rf"^@flow\(.*\n(?:.*\n)?def {name}\(", (PROJECT / path).read_text(), re.MULTILINE), (
            one["entrypoint"]
        )


def test_the_readme_says_the_exit_codes_of_the_command_line() -> None:
    assert f"Exit codes: {cli.DONE} done; {cli.EXCEPTIONS} done, with exceptions" in DOCUMENTS[0].read_text()
    assert f"{cli.REFUSED} refused" in DOCUMENTS[0].read_text()
    assert f"{cli.INTERNAL} internal" in DOCUMENTS[0].read_text()
