"""``o2c ledger verify``: whether the ledger is what happened."""

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from o2c.ledger.verify import Verification

DONE, REFUSED = 0, 2
_SHOWN = 50

Command = Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser]


def add_commands(command: Command) -> None:
    """Add the command; ``command`` is that of ``o2c.cli``."""
    sub = command(
        "ledger", _verify, "look whether chain, states, attempts, approvals and counts hold together"
    )
    sub.add_argument("what", choices=("verify",), help="changes nothing; exit 2 when anything is wrong")
    sub.add_argument("--json", action="store_true", help="print everything as JSON")


def _verify(arguments: argparse.Namespace) -> int:
    from o2c.cli_home import home_that_is_there
    from o2c.ledger import Ledger
    from o2c.ledger.approving import list_findings, signature_findings
    from o2c.ledger.verify import verify
    from o2c.policy import load_policies
    from o2c.settings import Settings

    settings = Settings()
    ledger = Ledger(settings.ledger_url or home_that_is_there(settings).ledger_url)
    found = verify(ledger.engine)
    policy = load_policies(settings.policies).controls.approvals
    lists = [*list_findings(ledger.engine), *signature_findings(ledger.engine, policy)]
    found = replace(found, findings=(*found.findings, *lists))
    ledger.engine.dispose()
    print(json.dumps(found.to_dict(), indent=2) if arguments.json else _text(found))
    return DONE if found.is_well else REFUSED


def _text(found: "Verification") -> str:
    states = ", ".join(f"{count:,} {state}" for state, count in found.states.items()) or "none"
    lines = [f"audit: {found.entry_count:,} entries", f"letters: {found.letter_count:,} ({states})"]
    for batch_id, counts in list(found.batches.items())[-_SHOWN:]:
        became = [f"{count:,} {group}" for group, count in counts.items() if count and group != "planned"]
        lines.append(f"  {batch_id}: {counts['planned']:,} planned = {', '.join(became) or 'nothing'}")
    lines += [f"remark: {remark}" for remark in found.remarks]
    lines += [f"WRONG  {one.kind}  {one.subject}: {one.says}" for one in found.findings[:_SHOWN]]
    count = len(found.findings)
    if count > _SHOWN:
        lines.append(f"and {count - _SHOWN:,} more; --json shows them all")
    if found.is_well:
        return "\n".join([*lines, "the ledger holds together"])
    return "\n".join([*lines, f"{count:,} findings: send nothing before each is explained"])
