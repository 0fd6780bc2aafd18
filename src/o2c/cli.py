"""Command line: arguments in, a call, lines and an exit code out."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from o2c import __version__, cli_approve, cli_deliver, cli_ledger

DONE, EXCEPTIONS, REFUSED, INTERNAL = 0, 1, 2, 3

# Nothing that we run looks anything up elsewhere.
QUIET = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 done, 1 done with exceptions for a person, 2 refused, 3 internal."""
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    parsed = _parser().parse_args(arguments)
    if parsed.home is not None:
        os.environ["O2C_HOME"] = str(parsed.home)
    try:
        return parsed.call(parsed)
    except KeyboardInterrupt:
        print("o2c: interrupted; what was published before is untouched.", file=sys.stderr)
        return REFUSED
    except BaseException as error:  # a panic below polars is no Exception
        if isinstance(error, SystemExit | GeneratorExit):
            raise
        return _told(error)


def _told(error: BaseException) -> int:
    """Say what went wrong, of our own errors in their words, of others only where: their words quote values."""
    from o2c.faults import is_about_room, keep_whole, where_it_happened

    if is_about_room(error) and not _is_ours(error):
        print(
            "o2c: no space left: the disk, a quota or the largest size of a file lets nothing more be written."
            " What was published before is untouched. Make room, then start again.",
            file=sys.stderr,
        )
        return REFUSED
    if _is_refusal(error):
        print(f"o2c: {error}", file=sys.stderr)
        return REFUSED
    print(where_it_happened(error), file=sys.stderr)
    kept = keep_whole(error, Path(os.environ.get("O2C_HOME", "var")), datetime.now(UTC))
    whole = f" Its whole text, which may hold names and amounts, is in {kept}." if kept else ""
    print(
        "o2c: internal error; what was published before is untouched. Please report the lines above." + whole,
        file=sys.stderr,
    )
    return INTERNAL


def _is_refusal(error: BaseException) -> bool:
    """Our own errors say what happened, where and what to do; so does the system about files and disks."""
    return _is_ours(error) or isinstance(error, OSError)


def _is_ours(error: BaseException) -> bool:
    return type(error).__module__.split(".")[0] in {"o2c", "flows"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="o2c", description="Order to cash, every morning.")
    parser.add_argument("--home", type=Path, help="folder of all state (default ./var, or O2C_HOME)")
    parser.add_argument("--version", action="version", version=f"o2c {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, call: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(call=call)
        return sub

    init = command("init", _init, "make a home")
    init.add_argument(
        "--simulated", action="store_true", help="each run's as-of date is the clock; folder outbox only"
    )
    init.add_argument("--auto-approve", action="store_true", help="take approvals as given (simulated homes)")

    for name, until, text in (
        (
            "run",
            "published",
            "the whole morning: land, apply cash, decide, audit, publish, with --send also send",
        ),
        ("publish", "published", "the same as run without sending; with --to, copy what is published there"),
        ("apply-cash", "cash", "stop after cash application; nothing is kept"),
        ("build", "marts", "stop after the marts; nothing is published"),
        ("decide", "decisions", "stop after decisions and audit; nothing is published"),
    ):
        sub = command(name, _run, text)
        sub.set_defaults(until=until, send=False)
        _add_sources(sub)
        sub.add_argument("--as-of", type=_date, metavar="DATE", help="the day it is about (default today)")
        sub.add_argument(
            "--known-at",
            type=_instant,
            metavar="INSTANT",
            help="with what was known then, or `now`, which restates a past date (default now; for a past date that was"
            " published, what its run knew)",
        )
        sub.add_argument("--json", action="store_true", help="print the run's manifest as JSON")
        if name == "apply-cash":
            _add_cash_commands(sub)
        if name == "publish":
            sub.set_defaults(call=_publish)
            sub.add_argument(
                "--to",
                metavar="URL",
                help="run nothing: copy the published release to postgresql://user@host/database",
            )
            sub.add_argument(
                "--schema-prefix", default="", metavar="P", help="before the schemas' names there"
            )
        if name == "run":
            sub.add_argument("--send", action="store_true", help="let letters leave")

    backfill = command("backfill", _backfill, "history for many past dates out of one build; decides nothing")
    _add_sources(backfill)
    backfill.add_argument("--from", dest="first", type=_date, required=True, metavar="DATE")
    backfill.add_argument("--to", dest="last", type=_date, required=True, metavar="DATE")
    backfill.add_argument("--every", choices=("month-end", "day"), default="month-end")
    backfill.add_argument(
        "--known-at",
        choices=("now",),
        help="restate dates that were published before (default: they stay as they were published)",
    )
    backfill.add_argument("--json", action="store_true", help="print the run's manifest as JSON")

    ingest = command("ingest", _ingest, "land new files, nothing else: bank files by path, or the sources")
    ingest.add_argument(
        "paths", nargs="*", type=Path, metavar="PATH", help="bank files or folders of them, also in gz or zip"
    )
    ingest.add_argument(
        "--profile",
        metavar="P",
        help="a bank's profile by name, or its YAML file (default: the one that fits)",
    )
    _add_sources(ingest)

    inspect = command("inspect", _inspect, "show what bank files hold, without loading them")
    inspect.add_argument("files", type=Path, nargs="+", metavar="FILE")
    inspect.add_argument(
        "--profile",
        metavar="P",
        help="a bank's profile by name, or its YAML file (default: the one that fits)",
    )
    inspect.add_argument("--json", action="store_true", help="print one line of JSON a file")

    sources = command("sources", _sources_check, "check a source definition")
    sources.add_argument("action", choices=["check"])
    sources.add_argument("definition", type=Path, help="the definition (.yml) or a folder of contract files")
    sources.add_argument("--data-root", type=Path, help="folder that paths in it start from")

    explain = command(
        "explain", _explain, "why a customer, an invoice, a payment or a letter is treated as it is"
    )
    explain.add_argument("what", choices=["customer", "invoice", "payment", "letter"])
    explain.add_argument("id")
    explain.add_argument("--as-of", type=_date, metavar="DATE", help="default: the published as-of date")
    explain.add_argument("--json", action="store_true", help="print it as JSON")

    demo = command("demo", _demo, "play some mornings of a made-up ledger in a simulated home")
    demo.add_argument(
        "--invoices", type=_book_size, default=2000, help="how many, 200 to 10,000,000 (default 2,000)"
    )
    demo.add_argument("--seed", type=int, default=1, help="another seed, another ledger (default 1)")

    generate = command("generate", _generate, "write a made-up ledger of 200 to 10 million invoices")
    generate.add_argument(
        "--folder", type=Path, required=True, help="where the files go; made if it is not there"
    )
    generate.add_argument(
        "--invoices", type=_book_size, default=2000, help="200 to 10,000,000 (default 2,000)"
    )
    generate.add_argument("--seed", type=int, default=1, help="the same seed gives the same bytes")
    generate.add_argument("--parquet", action="store_true", help="Parquet in place of CSV, for large sizes")

    cli_approve.add_commands(command)
    cli_deliver.add_commands(command)
    cli_ledger.add_commands(command)
    command("doctor", _doctor, "say which versions run here and whether the home can be used")
    return parser


def _add_cash_commands(parser: argparse.ArgumentParser) -> None:
    """``apply-cash decide FILE`` and ``apply-cash list``; without either, cash is applied and nothing kept."""
    commands = parser.add_subparsers(title="persons' decisions", metavar="decide | list")
    decide = commands.add_parser(
        "decide", help="record what a person decided in the exceptions workbook or CSV"
    )
    decide.set_defaults(call=_decide_cash)
    decide.add_argument(
        "file", type=Path, metavar="FILE", help="the workbook or CSV with its yellow columns filled in"
    )
    decide.add_argument("--by", required=True, metavar="NAME", help="who decided")
    listing = commands.add_parser("list", help="show the payments that the published run left to a person")
    listing.set_defaults(call=_list_cash)
    listing.add_argument("--json", action="store_true", help="print them with their candidates as JSON")


def _add_sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        type=Path,
        action="append",
        default=[],
        metavar="PATH",
        help="definition (.yml) or folder of contract files; again for more (default: those used last)",
    )
    parser.add_argument(
        "--data-root", type=Path, metavar="DIR", help="folder that paths in definitions start from"
    )


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date; write it like 2026-09-30") from None


def _instant(text: str) -> datetime | str:
    if text == "now":
        return text
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no instant; write `now`, or a time with its zone like 2026-09-30T06:00:00Z"
        )
    return found.astimezone(UTC)


def _book_size(text: str) -> int:
    """How many invoices a made-up ledger has: fewer leave no room for the cases that it always has."""
    if not text.isdecimal() or not 200 <= int(text) <= 10_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 200 to 10000000")
    return int(text)


def _progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _init(arguments: argparse.Namespace) -> int:
    from o2c.home import init_home
    from o2c.settings import Settings

    home = init_home(Settings().home, simulated=arguments.simulated, auto_approve=arguments.auto_approve)
    kind = "simulated home" if home.marker.simulated else "home"
    print(
        f"{home.root}: {kind} is ready"
        + (", approvals are taken as given" if home.marker.auto_approve else "")
    )
    return DONE


def _entries(arguments: argparse.Namespace) -> tuple[Any, ...]:
    from o2c.home import SourceEntry

    root = arguments.data_root.absolute() if arguments.data_root else None
    return tuple(SourceEntry(path=path.absolute(), data_root=root) for path in arguments.source)


def _run(arguments: argparse.Namespace) -> int:
    from flows.nightly import NightlyRun, play
    from o2c.summary import summary_of

    request = NightlyRun(
        sources=_entries(arguments),
        as_of_date=arguments.as_of,
        send=arguments.send,
        known_at=arguments.known_at,
        until=arguments.until,
    )
    run = play(request, say=_progress)
    if arguments.json:
        print(json.dumps(run.manifest(), indent=2, sort_keys=True, default=str))
    else:
        print(summary_of(run))
    # looked at once more right before letters leave: something may have come in, or somebody said stop
    left = run.decided.get("delivery", {})
    if request.send and (run.closed_gates or left.get("closed_gates") or left.get("stopped")):
        return REFUSED
    return EXCEPTIONS if run.has_exceptions else DONE


def _publish(arguments: argparse.Namespace) -> int:
    if arguments.to is None and not arguments.schema_prefix:
        return _run(arguments)
    if arguments.to is None or arguments.source or arguments.as_of or arguments.known_at:
        print(
            "o2c: publish --to copies what is published and runs nothing: give it --schema-prefix and --json alone,"
            " and --schema-prefix only with it. Nothing was done.",
            file=sys.stderr,
        )
        return REFUSED
    from o2c.home import open_home
    from o2c.mart_texts import read_mart_texts
    from o2c.publish_postgres import publish_to_postgres
    from o2c.settings import Settings

    settings = Settings()
    copied = publish_to_postgres(
        open_home(settings.home),
        arguments.to,
        read_mart_texts(settings.dbt_project),
        now=datetime.now(UTC),
        schema_prefix=arguments.schema_prefix,
    )
    print(json.dumps(vars(copied), default=str) if arguments.json else copied.text())
    return DONE


def _backfill(arguments: argparse.Namespace) -> int:
    from pydantic import ValidationError

    from flows.backfill import BackfillRun, fill
    from o2c.summary import summary_of

    try:
        request = BackfillRun(
            sources=_entries(arguments),
            from_date=arguments.first,
            to_date=arguments.last,
            every=arguments.every,
            restate=arguments.known_at == "now",
        )
    except ValidationError:  # the parser has looked at everything else
        print(
            f"o2c: from {arguments.first} to {arguments.last} there is no {arguments.every}. Nothing was run."
            " Give an earlier --from, a later --to, or --every day.",
            file=sys.stderr,
        )
        return REFUSED
    run = fill(request, say=_progress)
    if run is None:
        return DONE
    print(
        json.dumps(run.manifest(), indent=2, sort_keys=True, default=str)
        if arguments.json
        else summary_of(run)
    )
    return EXCEPTIONS if run.has_exceptions else DONE


def _decide_cash(arguments: argparse.Namespace) -> int:
    from flows.cash_decisions import take_decisions

    print(take_decisions(arguments.file, arguments.by).text())
    return DONE


def _list_cash(arguments: argparse.Namespace) -> int:
    from flows.cash_decisions import list_exceptions

    listed = list_exceptions()
    print(json.dumps(listed.data(), indent=2, default=str) if arguments.json else listed.text())
    return EXCEPTIONS if listed.exceptions.height else DONE


def _ingest(arguments: argparse.Namespace) -> int:
    from flows.ingest import IngestRun, inputs_table, land_only

    code = _ingest_bank_files(arguments.paths, arguments.profile) if arguments.paths else DONE
    if arguments.paths and not arguments.source:
        return code
    inputs = land_only(IngestRun(sources=_entries(arguments)), say=_progress)
    print("\n".join(inputs_table(inputs)))
    return max(code, EXCEPTIONS if inputs.counts["rejected"].sum() else DONE)


def _ingest_bank_files(paths: Sequence[Path], profile: str | None) -> int:
    from flows.bank_files import land_paths
    from flows.bank_intake import report_lines

    report = land_paths(paths, profile=profile)
    print("\n".join(report_lines(report) or ["no file is there"]))
    if report.refused:
        return REFUSED
    return EXCEPTIONS if report.exception_count else DONE


def _inspect(arguments: argparse.Namespace) -> int:
    from o2c.sources.bank.inspect import inspect_files
    from o2c.sources.bank.inspect_text import in_text

    found = inspect_files(arguments.files, arguments.profile)
    print("\n".join(one.as_json() for one in found) if arguments.json else in_text(found))
    if any(one.error is not None for one in found):
        return REFUSED
    return EXCEPTIONS if any(one.exceptions for one in found) else DONE


def _sources_check(arguments: argparse.Namespace) -> int:
    from o2c.sources.check import check_source

    report = check_source(arguments.definition, arguments.data_root)
    print(report.text())
    return DONE if report.is_usable else REFUSED


def _explain(arguments: argparse.Namespace) -> int:
    from o2c.cli_home import home_that_is_there
    from o2c.explain import explain_customer, explain_invoice
    from o2c.explain_letter import explain_letter
    from o2c.explain_payment import explain_payment
    from o2c.settings import Settings

    tell = {
        "customer": explain_customer,
        "invoice": explain_invoice,
        "payment": explain_payment,
        "letter": explain_letter,
    }
    story = tell[arguments.what](home_that_is_there(Settings()), arguments.id, arguments.as_of)
    print(json.dumps(story.data, indent=2, default=str) if arguments.json else story.text())
    return DONE


def _demo(arguments: argparse.Namespace) -> int:
    from o2c.demo.play import play_mornings
    from o2c.settings import Settings

    print(play_mornings(Settings().home, arguments.invoices, arguments.seed, _progress))
    return DONE


def _generate(arguments: argparse.Namespace) -> int:
    from o2c.demo.play import generate_only

    print(generate_only(arguments.folder, arguments.invoices, arguments.seed, arguments.parquet))
    return DONE


def _doctor(_arguments: argparse.Namespace) -> int:
    from o2c.doctor import examine
    from o2c.settings import Settings

    findings = examine(Settings())
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        print(f"{'ok ' if finding.is_well else 'BAD'}  {finding.name:<{width}}  {finding.found}")
    return DONE if all(finding.is_well for finding in findings) else REFUSED


if __name__ == "__main__":
    sys.exit(main())
