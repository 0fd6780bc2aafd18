"""``o2c deliver``: what was approved leaves, a carrier is used again, everything is stopped or goes on."""

import argparse
import json
import sys
from collections.abc import Callable

DONE, REFUSED = 0, 2

Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(command: Command) -> None:
    """Add the command; ``command`` is that of ``o2c.cli``."""
    sub = command("deliver", _deliver, "let go what is approved and still right, in contact hours")
    sub.add_argument("--json", action="store_true", help="print the counts as JSON")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--resume", metavar="CARRIER", help="use a paused carrier again, instead")
    what.add_argument("--trust", metavar="ADDRESS", help="write to a suppressed address again, instead")
    what.add_argument("--stop", metavar="REASON", help="let nothing leave until --go, instead")
    what.add_argument("--go", action="store_true", help="end --stop, instead")
    sub.add_argument("--by", metavar="NAME", help="who decides so; with --resume and --trust")


def _deliver(arguments: argparse.Namespace) -> int:
    if (arguments.resume is None and arguments.trust is None) != (arguments.by is None):
        print(
            "o2c: deliver --resume CARRIER and --trust ADDRESS need --by NAME, which is for them alone."
            " Nothing was done.",
            file=sys.stderr,
        )
        return REFUSED
    from o2c.cli_home import home_that_is_there
    from o2c.settings import Settings

    home_that_is_there(Settings())  # STOP in a mistyped home would stop nothing
    if arguments.resume or arguments.trust or arguments.go or arguments.stop is not None:
        return _pull(arguments)
    from flows.deliver import DeliverRun, send_out

    done = send_out(DeliverRun(), lambda line: print(line, file=sys.stderr, flush=True))
    print(json.dumps(done.data(), indent=2) if arguments.json else done.text())
    return done.exit_code


def _pull(arguments: argparse.Namespace) -> int:
    from flows.stopping import go_on, resume, stop, trust

    if arguments.resume:
        said = resume(arguments.resume, arguments.by)
    elif arguments.trust:
        said = trust(arguments.trust, arguments.by)
    else:
        said = go_on() if arguments.go else stop(arguments.stop)
    print(json.dumps({"said": said}) if arguments.json else said)
    return DONE
