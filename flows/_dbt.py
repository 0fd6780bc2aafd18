"""Runs dbt in this process on one build file, then gives the file back.

Plain dbtRunner: it parses the project once per process and hands the manifest on to the next pass. dbt keeps a
DuckDB file open until told otherwise, so each pass closes its connections.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode

from o2c import warehouse
from o2c.publish import MART_SCHEMAS, Mart

PROJECT = Path(__file__).parent.parent / "dbt_project"
ROWS_SHOWN = 5

# Nothing is looked up, nothing is printed: what went wrong is raised, what happened is in the log of the run.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
}
_FLAGS = ["--no-version-check", "--no-partial-parse", "--log-level", "none", "--log-level-file", "warn"]
_manifests: dict[Path, Manifest] = {}


class BuildFailed(RuntimeError):
    """Models could not be built, or tests failed; the build file is not fit to be published."""


@dataclass(frozen=True)
class Finding:
    """A test that did not hold. ``severity`` is error or warn; ``rows`` are its first rows, as text."""

    name: str
    severity: str
    failures: int
    rows: str


def run_models(build: Path, folder: Path, select: str) -> None:
    """Build the models that a selector names (``tag:cash``, ``tag:marts``, ``tag:decisions``), in their order.

    Args:
        build: the DuckDB file of the run, with its raw layer.
        folder: where dbt leaves its target and log; never inside the project.
        select: dbt's selector.

    Raises:
        BuildFailed: with each model that failed and why.
    """
    _complain(build, _invoke(["run", "--select", select], build, folder))


def run_tests(build: Path, folder: Path, select: str = "test_type:data") -> list[Finding]:
    """Run tests on what is built; by default all but the unit tests, which test rules and need no run.

    Returns:
        The tests of severity warn that did not hold.

    Raises:
        BuildFailed: with each test of severity error that did not hold, and its first rows.
    """
    return _complain(build, _invoke(["test", "--select", select], build, folder))


def list_marts(build: Path) -> list[Mart]:
    """The marts of the project with the keys that its own tests hold them to, by name.

    Raises:
        BuildFailed: a mart has no ``keyed_by`` test, so nothing says in which order it is to be written.
    """
    nodes = _manifests[Path(build.stem)].nodes
    keys = {
        node.attached_node: tuple(node.test_metadata.kwargs["columns"])
        for node in nodes.values()
        if isinstance(node, GenericTestNode) and node.test_metadata.name == "keyed_by"
    }
    marts = []
    for identity, node in nodes.items():
        if isinstance(node, ModelNode) and node.schema in MART_SCHEMAS:
            if identity not in keys:
                raise BuildFailed(
                    f"{node.original_file_path}: the mart has no keyed_by test. Give it its key."
                )
            marts.append(Mart(f"{node.schema}.{node.name}", keys[identity]))
    return sorted(marts, key=lambda mart: mart.name)


def _invoke(command: Sequence[str], build: Path, folder: Path) -> dbtRunnerResult:
    folder.mkdir(parents=True, exist_ok=True)
    paths = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)]
    paths += ["--target-path", str(folder / "dbt"), "--log-path", str(folder / "dbt")]
    with _environment(build):
        try:
            # names in the manifest carry the file's stem, which DuckDB uses as the name of the database
            key = Path(build.stem)
            if key not in _manifests:
                parsed = dbtRunner().invoke(["parse", "--no-write-json", *paths, *_FLAGS])
                if not isinstance(parsed.result, Manifest):
                    raise BuildFailed(
                        f"{PROJECT}: the project cannot be read, nothing was built.\n{parsed.exception}"
                    )
                _manifests[key] = parsed.result
            return dbtRunner(manifest=_manifests[key]).invoke([*command, "--no-write-json", *paths, *_FLAGS])
        finally:
            DuckDBConnectionManager.close_all_connections()


@contextmanager
def _environment(build: Path) -> Iterator[None]:
    """Settings that dbt reads from the environment, for as long as it runs."""
    values = _QUIET | {"O2C_WAREHOUSE": str(build)}
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _complain(build: Path, outcome: dbtRunnerResult) -> list[Finding]:
    """Raise one error that names all that failed; give back what is only a warning."""
    results = getattr(outcome.result, "results", None)
    if results is None:
        raise BuildFailed(f"{build}: dbt stopped before it built anything.\n{outcome.exception}")
    broken = [result for result in results if result.status in ("error", "runtime error")]
    findings = [
        Finding(
            name=result.node.name,
            severity="warn" if result.status == "warn" else "error",
            failures=int(result.failures or 0),
            rows=_first_rows(build, result.node.compiled_code),
        )
        for result in results
        if result.status in ("fail", "warn")
    ]
    failed = [finding for finding in findings if finding.severity == "error"]
    if not broken and not failed:
        return findings
    skipped = sum(result.status == "skipped" for result in results)
    lines = [f"{build}: {len(broken)} models failed, {len(failed)} tests failed, {skipped} were skipped."]
    lines += [f"  {result.node.name}: {' '.join((result.message or '').split())}" for result in broken]
    lines += [f"  {finding.name}: {finding.failures} rows\n{finding.rows}" for finding in failed]
    raise BuildFailed("\n".join(lines))


def _first_rows(build: Path, sql: str | None) -> str:
    """What a failing test found: names and values of its first rows, one line each."""
    if not sql:
        return ""
    con = warehouse.connect(build, read_only=True)
    try:
        rows = con.execute(f"select * from ({sql}) limit {ROWS_SHOWN}")
        names = [column[0] for column in rows.description or []]
        return "\n".join(
            "    " + ", ".join(f"{name} {value}" for name, value in zip(names, row, strict=True))
            for row in rows.fetchall()
        )
    finally:
        con.close()
