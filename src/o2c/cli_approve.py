"""``o2c approve``: what waits for people, one list in full, and one person's yes or no."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flows.approval_desk import Desk
    from o2c.approvals import Pending

DONE, WAITING, REFUSED = 0, 1, 2
_HASH_SHOWN = 12


def add_commands(
    command: Callable[[str, Callable[[argparse.Namespace], int], str], argparse.ArgumentParser],
) -> None:
    """Add ``approve`` to the commands."""
    sub = command(
        "approve",
        _approve,
        "list what waits for people; with a REQUEST show it, with --by say yes to it (or --reject)",
    )
    sub.add_argument("request", nargs="?", metavar="REQUEST", help="id of a list, as `o2c approve` shows it")
    sub.add_argument("--by", metavar="NAME", help="who says so, as controls.yml names people")
    sub.add_argument("--role", metavar="ROLE", help="as what: one of that person's roles")
    sub.add_argument(
        "--hash", metavar="HASH", help="of the list that was looked at, its first 8 digits or more"
    )
    sub.add_argument("--reject", action="store_true", help="say no: the list is not carried out")
    sub.add_argument("--comment", metavar="TEXT", help="kept with the approval")
    sub.add_argument("--key", type=Path, metavar="FILE", help="OpenSSH Ed25519 private key to sign with")
    sub.add_argument("--json", action="store_true", help="print it as JSON")


def _approve(arguments: argparse.Namespace) -> int:
    from flows.approval_desk import open_desk
    from o2c.cli_home import home_that_is_there
    from o2c.settings import Settings

    answers = {name: getattr(arguments, name) for name in ("by", "role", "hash")}
    wants_answer = any(answers.values()) or arguments.reject or arguments.comment or arguments.key
    if wants_answer and (arguments.request is None or not all(answers.values())):
        print(
            "o2c: an answer needs a REQUEST and --by, --role and --hash. Nothing was recorded."
            " `o2c approve` lists what waits.",
            file=sys.stderr,
        )
        return REFUSED
    home_that_is_there(Settings())
    desk = open_desk()
    if wants_answer:
        return _answer(desk, arguments)
    return _list(desk, arguments) if arguments.request is None else _show(desk, arguments)


def _list(desk: "Desk", arguments: argparse.Namespace) -> int:
    from flows.approval_desk import list_waiting

    pending = list_waiting(desk)
    if arguments.json:
        print(json.dumps([_data(one, desk) for one in pending], indent=2))
    else:
        waits = "1 list waits" if len(pending) == 1 else f"{len(pending)} lists wait"
        print("\n\n".join([*(_text(one, desk) for one in pending), f"{waits} for people"]))
    return WAITING if pending else DONE


def _show(desk: "Desk", arguments: argparse.Namespace) -> int:
    from o2c.approvals import read_items
    from o2c.ledger.approving import read_content, read_request

    one = read_request(desk.ledger.engine, arguments.request)
    if one is None:
        print(
            f"o2c: {arguments.request}: there is no such list. `o2c approve` shows what waits.",
            file=sys.stderr,
        )
        return REFUSED
    items = read_items(read_content(desk.ledger.engine, one.request_id))
    if arguments.json:
        print(json.dumps(_data(one, desk) | {"items": items}, indent=2))
    else:
        print("\n".join([_text(one, desk), "", *_table(items)]))
    return WAITING if one.state == "waiting" and one.expires_at > desk.now else DONE


def _answer(desk: "Desk", arguments: argparse.Namespace) -> int:
    from flows.approval_desk import answer
    from o2c.approvals import COMMENT_LENGTH, Ballot
    from o2c.sources.bank.errors import printable

    comment = printable(" ".join(arguments.comment.split()), COMMENT_LENGTH) if arguments.comment else None
    verdict = "reject" if arguments.reject else "approve"
    ballot = Ballot(arguments.request, arguments.hash, arguments.by, arguments.role, verdict, comment or None)
    decided, carried_out = answer(desk, ballot, arguments.key)
    if arguments.json:
        print(json.dumps(vars(decided) | {"carried_out": list(carried_out.request_ids)}, indent=2))
    else:
        how = "signed" if decided.is_signed else "unsigned"
        yes = f"{decided.approval_count} of {decided.required_approval_count} approvals"
        print(
            f"{decided.request_id}: {verdict} by {arguments.by} is recorded, {how}; {yes}; it is {decided.state}."
        )
        for request_id in carried_out.request_ids:
            print(f"{request_id}: carried out")
    for fault in carried_out.faults:
        print(f"o2c: {fault}", file=sys.stderr)
    return REFUSED if carried_out.faults else DONE


def _data(one: "Pending", desk: "Desk") -> dict[str, Any]:
    """A list as data for programs; amounts as text."""
    from o2c.approval_rules import able_roles
    from o2c.approvals import amount_text

    said = [
        {
            "approver": given.approver,
            "role": given.role,
            "verdict": given.verdict,
            "at": given.approved_at.isoformat(),
            "is_signed": given.signature is not None,
            "comment": given.comment,
        }
        for given in one.approvals
    ]
    amounts = {
        name: {code: amount_text(amount, code) for code, amount in getattr(one, name).items()}
        for name in ("amounts", "largest_amounts")
    }
    plain = (
        "request_id",
        "kind",
        "batch_id",
        "content_hash",
        "item_count",
        "required_approval_count",
        "reason",
    )
    return {
        **{name: getattr(one, name) for name in plain},
        **amounts,
        "as_of_date": one.as_of_date.isoformat(),
        "state": one.state,
        "prepared_by": one.prepared_by,
        "prepared_at": one.prepared_at.isoformat(),
        "expires_at": one.expires_at.isoformat(),
        "carried_out_at": one.carried_out_at and one.carried_out_at.isoformat(),
        "roles": able_roles(one, desk.policy),
        "approvals": said,
    }


def _text(one: "Pending", desk: "Desk") -> str:
    """A list in a few lines, for a terminal."""
    from o2c.approval_rules import able_roles
    from o2c.approvals import in_words

    roles = ", ".join(able_roles(one, desk.policy)) or "nobody: it is beyond the limits of every role"
    said = [
        f"{given.verdict} by {given.approver} as {given.role}, {'signed' if given.signature else 'unsigned'}"
        + (f" ({given.comment})" if given.comment else "")
        for given in one.approvals
    ]
    state = one.state
    if state == "waiting" and one.expires_at <= desk.now:
        state = "expired"
    count = one.required_approval_count
    needs = f"{count} {'approval' if count == 1 else 'approvals'}, of {roles}" if count else "nobody"
    kind = one.kind.replace("_", " ")
    items = f"{one.item_count:,} {kind.removesuffix('s') if one.item_count == 1 else kind}"
    lines = [
        f"{one.request_id}  {items}: {one.reason}",
        f"  total     {in_words(one.amounts)}",
        f"  largest   {in_words(one.largest_amounts)}",
        f"  needs     {needs}",
        f"  so far    {'; '.join(said) or 'none'}; it is {state}",
        f"  prepared  by {one.prepared_by} at {one.prepared_at.isoformat(timespec='minutes')},"
        f" expires {one.expires_at.isoformat(timespec='minutes')}",
        f"  hash      {one.content_hash[:_HASH_SHOWN]}",
    ]
    return "\n".join(lines)


def _table(items: list[dict[str, Any]]) -> list[str]:
    """The list itself: what is approved, one line each, in columns."""
    names = [name for name in items[0] if name != "item_id"]
    rows = [names, *([_cell(item.get(name)) for name in names] for item in items)]
    widths = [max(len(row[at]) for row in rows) for at in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def _cell(value: Any) -> str:
    from o2c.sources.bank.errors import printable

    return "" if value is None else printable(str(value), 60)
