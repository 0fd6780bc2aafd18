"""Approvals held against what left: exactly these letters, to these addresses, by enough others, in time."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from o2c.approvals import hash_of, read_items
from o2c.ledger.moving import utc
from o2c.ledger.states import CONTACT_STATES
from o2c.ledger.tables import approval_items, approval_requests, approvals, attempts, order_holds, placements
from o2c.ledger.verify_chain import ROWS_AT_ONCE, Finding, Story

Row = Mapping[str, Any]
_COVERED = ("approved", "refused", *CONTACT_STATES)


def approval_findings(con: Connection, rows: Sequence[Row], stories: Mapping[str, Story]) -> list[Finding]:
    """Every list is as it was hashed, was approved by enough others, and every letter that left stands in one."""
    said: dict[str, list[Row]] = {}
    for row in con.execute(select(approvals).order_by(*approvals.primary_key)).mappings():
        said.setdefault(row["request_id"], []).append(dict(row))
    items: dict[str, dict[str, tuple[str, str]]] = {}
    for row in con.execute(select(approval_items)):
        items.setdefault(row.request_id, {})[row.item_id] = (row.message_hash, row.address)
    findings, requests = [], {}
    query = select(approval_requests).order_by(approval_requests.c.request_id)
    for found in con.execute(query.execution_options(yield_per=ROWS_AT_ONCE)).mappings():
        request = dict(found)
        faults = _request_faults(
            request, said.get(request["request_id"], []), items.get(request["request_id"], {})
        )
        findings += [Finding("request", f"request:{request['request_id']}", fault) for fault in faults]
        del request["content"]
        requests[request["request_id"]] = request
    starts: dict[str, Any] = {}
    for row in con.execute(select(attempts.c.letter_id, attempts.c.started_at)):
        starts[row.letter_id] = max(row.started_at, starts.get(row.letter_id, row.started_at))
    for row in rows:
        letter_id = row["letter_id"]
        if row["state"] not in _COVERED or (
            stories.get(letter_id, Story()).is_taken_over and not row["request_id"]
        ):
            continue
        request = requests.get(row["request_id"])
        faults = _letter_faults(row, request, items.get(row["request_id"], {}), starts.get(letter_id))
        findings += [Finding("approval", f"letter:{letter_id}", fault) for fault in faults]
    return findings + _handed_over(con, requests)


def _request_faults(request: Row, said: Sequence[Row], items: Mapping[str, tuple[str, str]]) -> Iterable[str]:
    if hash_of(request["content"]) != request["content_hash"]:
        yield "the list is not the one that its hash is of"
        return
    listed = read_items(request["content"])
    if len(listed) != request["item_count"]:
        yield f"lists {len(listed)} things and counts {request['item_count']}"
    if request["kind"] == "letters":
        told = {row["item_id"]: (row["message_hash"], row["address"]) for row in listed}
        if told != items:
            yield "its letters are not those of its list"
    for one in said:
        if one["approver"] == request["prepared_by"] or one["prepared_by"] != request["prepared_by"]:
            yield f"{one['approver']} answered a list of his own"
        if one["content_hash"] != request["content_hash"]:
            yield f"{one['approver']} answered another list"
        if utc(one["approved_at"]) >= utc(request["expires_at"]):
            yield f"{one['approver']} answered when it was over"
    if request["state"] == "approved":
        yes = {one["approver"] for one in said if one["verdict"] == "approve"}
        if len(yes) < request["required_approval_count"]:
            yield f"is approved by {len(yes)} of {request['required_approval_count']}"
        if any(one["verdict"] == "reject" for one in said):
            yield "is approved although somebody said no"


def _letter_faults(
    row: Row, request: Row | None, items: Mapping[str, tuple[str, str]], last_started: Any
) -> Iterable[str]:
    if request is None or request["kind"] != "letters":
        yield f"is {row['state']} and stands in no list"
        return
    name = request["request_id"]
    if request["state"] != "approved":
        yield f"is {row['state']}; its list {name} is {request['state']}"
    if items.get(row["letter_id"]) != (row["message_hash"], row["address"]):
        yield f"the list {name} has no such letter, message and address"
    if last_started is not None and utc(last_started) >= utc(request["expires_at"]):
        yield f"was claimed when the approval of {name} was over"


def _handed_over(con: Connection, requests: Mapping[str, Row]) -> list[Finding]:
    """Items at agencies and orders on hold stand in approved lists; those of earlier versions name none."""
    findings = []
    for table, kind in ((placements, "referrals"), (order_holds, "holds")):
        for row in con.execute(select(*table.primary_key, table.c.request_id).order_by(*table.primary_key)):
            request = requests.get(row.request_id)
            if row.request_id is None and table is placements:
                continue
            if request is None or request["kind"] != kind or request["state"] != "approved":
                subject = "|".join(str(part) for part in row[:-1])
                findings.append(
                    Finding("handed_over", f"{table.name}:{subject}", "stands in no approved list")
                )
    return findings
