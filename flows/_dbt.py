"""Runs dbt in this process on one build file, then gives the file back.

Plain dbtRunner: the parsed project is handed from pass to pass, and kept in the user's cache for the next process
(parsing takes 3.8 CPU seconds, reading it back 0.1; measured 2026-11). dbt keeps a DuckDB file open until told
otherwise, so each pass closes its connections.
"""

import hashlib
import os
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import GenericTestNode, ModelNode, SingularTestNode
from dbt.parser.manifest import extended_mashumaro_encoder, extended_mashumuro_decoder

from o2c import warehouse
from o2c.publish import MART_SCHEMAS, Mart
from o2c.report.definitions import MartWords
from o2c.settings import Settings

PROJECT = Path(__file__).parent.parent / "dbt_project"
ROWS_SHOWN = 5

# Nothing is looked up, nothing is printed: what went wrong is raised, what happened is in the log of the run.
_QUIET = {
    "DO_NOT_TRACK": "1",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_VERSION_CHECK": "false",
}
_FLAGS = [
    *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
    *("--no-version-check", "--no-partial-parse", "--no-write-json"),
    *("--log-level", "none", "--log-level-file", "warn", "--no-populate-cache"),
]
_manifests: dict[str, Manifest] = {}


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


def run_tests(
    build: Path, folder: Path, select: str = "test_type:data", exclude: str = "tag:deep"
) -> list[Finding]:
    """Run tests on what is built; by default those that a run needs.

    Unit tests try rules and need no run. Tests tagged deep hold by the way the models are made, and read whole
    ledgers again; both run with the tests of the project.

    Returns:
        The tests of severity warn that did not hold.

    Raises:
        BuildFailed: with each test of severity error that did not hold, and its first rows.
    """
    command = ["test", "--select", select, *(["--exclude", exclude] if exclude else [])]
    return _complain(build, _invoke(command, build, folder))


def list_tie_outs(build: Path) -> list[str]:
    """Names of the tests that say which totals must tie, sorted."""
    nodes = _manifest(build.stem, ()).nodes.values()
    return sorted(node.name for node in nodes if isinstance(node, SingularTestNode))


def list_marts(build: Path) -> list[Mart]:
    """The marts of the project with the keys that its own tests hold them to, by name.

    Raises:
        BuildFailed: a mart has no ``keyed_by`` test, so nothing says in which order it is to be written.
    """
    nodes = _manifest(build.stem, ()).nodes
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


def describe_marts(build: Path) -> dict[str, MartWords]:
    """What the project says of each mart and its columns, by ``schema.table``."""
    return {
        f"{node.schema}.{node.name}": MartWords(
            node.description, {name: column.description for name, column in node.columns.items()}
        )
        for node in _manifest(build.stem, ()).nodes.values()
        if isinstance(node, ModelNode) and node.schema in MART_SCHEMAS
    }


def _invoke(command: Sequence[str], build: Path, folder: Path) -> dbtRunnerResult:
    folder.mkdir(parents=True, exist_ok=True)
    paths = ["--target-path", str(folder / "dbt"), "--log-path", str(folder / "dbt")]
    with _environment(build, folder):
        manifest = _manifest(build.stem, paths)
        try:
            return dbtRunner(manifest=manifest).invoke([*command, *_FLAGS, *paths])
        finally:
            if DuckDBConnectionManager._ENV is not None:
                DuckDBConnectionManager.env().close()
            DuckDBConnectionManager.close_all_connections()


def _manifest(database: str, paths: Sequence[str]) -> Manifest:
    """The parsed project. Names in it carry the build file's stem, which DuckDB uses as the database's name."""
    if database not in _manifests:
        kept = _cache_folder() / f"{database}-{_fingerprint()}.manifest"
        if kept.exists():
            _manifests[database] = Manifest.from_msgpack(
                kept.read_bytes(), decoder=extended_mashumuro_decoder
            )
            return _manifests[database]
        # Names in it are the build's also where nobody runs on one yet; without a file they would be of memory.
        named = Path(os.environ.get("O2C_WAREHOUSE", "")).stem == database
        with _variables({} if named else {"O2C_WAREHOUSE": f"{database}.duckdb"}):
            parsed = dbtRunner().invoke(["parse", *_FLAGS, *paths])
        if not isinstance(parsed.result, Manifest):
            raise BuildFailed(
                f"{PROJECT}: the project cannot be read, nothing was built.\n{parsed.exception}"
            )
        _manifests[database] = parsed.result
        _keep(kept, parsed.result.to_msgpack(extended_mashumaro_encoder))
    return _manifests[database]


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "o2c"


def _fingerprint() -> str:
    """Changes with every word of the project and with dbt: a manifest is read back by what wrote it, or not at all."""
    digest = hashlib.sha256(f"{PROJECT} {version('dbt-core')} {version('dbt-duckdb')}".encode())
    for path in sorted(path for path in PROJECT.rglob("*") if path.suffix in (".sql", ".yml")):
        digest.update(f"{path.relative_to(PROJECT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _keep(path: Path, content: bytes) -> None:
    """Write a manifest for the next process, in place of older ones; where that is not allowed, it parses again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        beside.write_bytes(content)
        beside.replace(path)
        for old in path.parent.glob(f"{path.name.rsplit('-', 1)[0]}-*.manifest"):
            if old != path:
                old.unlink(missing_ok=True)
    except OSError:
        return


@contextmanager
def _environment(build: Path, folder: Path) -> Generator[None]:
    """Settings that dbt reads from the environment, for as long as it runs."""
    threads, memory_limit = _limits()
    values = _QUIET | {
        "O2C_WAREHOUSE": str(build),
        "O2C_THREADS": threads,
        "O2C_MEMORY_LIMIT": memory_limit,
        "O2C_SPILL": str(folder / "spill"),
    }
    with _variables(values):
        yield


@contextmanager
def _variables(values: dict[str, str]) -> Generator[None]:
    """Variables of the environment, which are afterwards what they were."""
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


def _limits() -> tuple[str, str]:
    """Threads and memory as this installation sets them; where it does not, what DuckDB takes of this machine."""
    settings = Settings()
    with warehouse.connect(threads=settings.threads, memory_limit=settings.memory_limit) as con:
        found = con.sql("select current_setting('threads'), current_setting('memory_limit')").fetchall()[0]
    return str(found[0]), str(found[1])


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
        rows = con.sql(sql).limit(ROWS_SHOWN)
        return "\n".join(
            "    " + ", ".join(f"{name} {value}" for name, value in zip(rows.columns, row, strict=True))
            for row in rows.fetchall()
        )
    finally:
        con.close()
