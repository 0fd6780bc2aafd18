"""What somebody with SQL and no scruples would try, each with the rule that must refuse it.

The ledger that is attacked (``furnish``) has a letter in every state, under the id of its state, and lists, events,
suppressions, pauses, placements and holds.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ledger_rows import DAY, NOON, WAYS, approve, ask, lead, letter, put, say
from sqlalchemy import Engine, insert, update

from o2c.ledger import tables
from o2c.ledger.auditing import Change, append

AT = "'2026-03-12 12:00:00.000000'"
EARLIER = "'2026-03-12 11:59:59.999999'"
LATER = "'2026-03-14 12:00:00.000000'"  # after every approval has expired
ZEROS = "0" * 64


@dataclass(frozen=True)
class Attack:
    """``sql``: statements of which the last must be refused. ``refusal``: the rule or constraint that does it."""

    name: str
    sql: tuple[str, ...]
    refusal: str
    only: str | None = None


def furnish(engine: Engine) -> None:
    """A ledger with something of everything."""
    put(engine, *(letter(state, state=state) for state in WAYS))
    put(
        engine,
        letter("asked"),
        letter("quiet", customer_id="C-sent", batch_id="other", level=2, state="approved"),
        letter("loud", address="DELIVERED@acme.example", batch_id="other", state="approved"),
        letter("shunned", state="approved"),
        letter("ready", state="approved"),
        letter("ours", state="delivered"),
        letter("again", customer_id="C-presumed_not_sent", try_number=2),
    )
    with engine.begin() as con:
        table = tables.letters
        ask(con, ["asked"], request_id="R-asked")
        con.execute(
            update(table)
            .where(table.c.letter_id == "asked")
            .values(request_id="R-asked", state="approval_pending", state_changed_at=NOON)
        )
        con.execute(
            update(table)
            .where(table.c.letter_id == "approved")
            .values(not_before=NOON + timedelta(minutes=9))
        )
        table_of = tables.approval_requests
        approve(con, [], request_id="R-referrals", kind="referrals")
        approve(con, [], request_id="R-holds", kind="holds")
        ask(con, [], request_id="R-two", kind="referrals", required_approval_count=2)
        say(con, "R-two", "anna")
        ask(con, [], request_id="R-no")
        say(con, "R-no", "bob", "reject")
        con.execute(update(table_of).where(table_of.c.request_id == "R-no").values(state="rejected"))
        ask(con, [], request_id="R-torn")
        say(con, "R-torn", "anna")
        say(con, "R-torn", "bob", "reject")
        con.execute(
            update(table_of).where(table_of.c.request_id == "R-referrals").values(carried_out_at=NOON)
        )
        for row in (
            {"event_id": "E-1", "letter_id": "ours", "carrier": "ses", "event_type": "delivery"},
            {"event_id": "E-2", "letter_id": "bounced", "carrier": "ses", "event_type": "bounce"},
        ):
            told = {"occurred_at": NOON, "received_at": NOON, "content_hash": ZEROS}
            con.execute(insert(tables.delivery_events), row | told)
        con.execute(
            insert(tables.suppressions),
            {"address": "shunned@acme.example", "reason": "bounce", "event_id": "E-2", "since": NOON},
        )
        con.execute(
            insert(tables.suppressions), {"address": "once@acme.example", "reason": "bounce", "since": NOON}
        )
        lifted = tables.suppressions.c.address == "once@acme.example"
        con.execute(update(tables.suppressions).where(lifted).values(lifted_at=NOON, lifted_by="anna"))
        con.execute(insert(tables.pauses), {"carrier": "ses", "reason": "quota", "detail": "", "since": NOON})
        item = {"installment_number": 1, "customer_id": "C-1", "agency_id": "A", "placed_date": DAY}
        money = {"currency_code": "EUR", "placed_amount": "100.0000", "request_id": "R-referrals"}
        con.execute(insert(tables.placements), item | money | {"invoice_id": "I-1"})
        hold = {"hold_id": "H-1", "order_id": "O-1", "customer_id": "C-1", "action": "hold", "reason": "over"}
        con.execute(
            insert(tables.order_holds),
            hold | {"decided_as_of_date": DAY, "request_id": "R-holds", "exported_at": NOON},
        )
        task = {"activity_id": "T-1", "customer_id": "C-1", "activity_at": NOON, "channel": "email"}
        con.execute(insert(tables.activities), task | {"outcome_code": "x", "note": "look", "is_task": 1})
        append(con, [Change("test", "furnish", "ledger:all")], NOON)
    _mute(engine)


def _mute(engine: Engine) -> None:
    """A letter that was approved and has no message, as no code of ours would leave it."""
    with engine.begin() as con:
        con.execute(insert(tables.letters), letter("mute").row | {"state_changed_at": NOON})
    lead(engine, "mute", "approved")


def letter_values(**changes: Any) -> str:
    """Columns and values of an insert into letters."""
    row = letter("new").row | changes
    return f"({', '.join(row)}) values ({', '.join(_literal(value) for value in row.values())})"


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, int) else "null" if value is None else f"'{value}'"


def _update(what: str, letter_id: str, changes: str, refusal: str, *before: str) -> Attack:
    return Attack(what, (*before, f"update letters set {changes} where letter_id = '{letter_id}'"), refusal)


def _claim(what: str, letter_id: str, refusal: str, **changes: str) -> Attack:
    values = {
        "state": "'sending'",
        "owner": "'thief'",
        "lease_until": "'2026-03-12 13:00:00.000000'",
        "contact_date": "'2026-03-12'",
        "carrier": "'folder'",
        "attempt_count": "attempt_count + 1",
        "not_before": "null",
        "state_changed_at": AT,
    } | changes
    return _update(what, letter_id, ", ".join(f"{name} = {value}" for name, value in values.items()), refusal)


def _said(request_id: str, approver: str, **changes: str) -> str:
    row = {
        "request_id": f"'{request_id}'",
        "approver": f"'{approver}'",
        "content_hash": f"(select content_hash from approval_requests where request_id = '{request_id}')",
        "prepared_by": "'robot'",
        "role": "'lead'",
        "verdict": "'approve'",
        "approved_at": AT,
        "expires_at": "'2026-03-12 20:00:00.000000'",
    } | changes
    return f"insert into approvals ({', '.join(row)}) values ({', '.join(row.values())})"


def _asked(request_id: str = "R-new", **changes: str) -> str:
    row = {
        "request_id": f"'{request_id}'",
        "kind": "'letters'",
        "batch_id": "'b'",
        "as_of_date": "'2026-03-12'",
        "content_hash": "'00'",
        "item_count": "1",
        "amounts": "'{}'",
        "largest_amounts": "'{}'",
        "content": "'[]'",
        "required_approval_count": "1",
        "reason": "'r'",
        "state": "'waiting'",
        "prepared_by": "'robot'",
        "prepared_at": AT,
        "expires_at": "'2026-03-13 12:00:00.000000'",
    } | changes
    return f"insert into approval_requests ({', '.join(row)}) values ({', '.join(row.values())})"


def _attempt(letter_id: str, number: int, **changes: str) -> str:
    row = {
        "letter_id": f"'{letter_id}'",
        "attempt_number": str(number),
        "carrier": "'folder'",
        "owner": "'worker'",
        "started_at": AT,
        "lease_until": "'2026-03-12 13:00:00.000000'",
    } | changes
    return f"insert into attempts ({', '.join(row)}) values ({', '.join(row.values())})"


def _link(sequence: str, previous: str, hash_: str, verb: str = "insert") -> str:
    return (
        f"{verb} into audit (sequence, recorded_at, actor, action, subject, previous_hash, hash) values"
        f" ({sequence}, {AT}, 'me', 'nothing', 'letter:sent', {previous}, {hash_})"
    )


_NEXT = "(select max(sequence) + 1 from audit)"
_LAST = "(select hash from audit order by sequence desc limit 1)"
_FRESH = f"'{'f' * 64}'"

_BEGINNINGS = [
    Attack(
        "a_letter_that_begins_approved",
        (f"insert into letters {letter_values(state='approved')}",),
        "letter_begins",
    ),
    Attack(
        "a_letter_that_begins_sent",
        (f"insert into letters {letter_values(state='sent', sent_at=NOON)}",),
        "letter_begins",
    ),
    Attack(
        "a_letter_that_begins_claimed",
        (f"insert into letters {letter_values(state='sending', owner='me', lease_until=NOON)}",),
        "letter_begins",
    ),
    Attack(
        "a_letter_with_attempts_behind_it",
        (f"insert into letters {letter_values(attempt_count=3)}",),
        "letter_begins",
    ),
    Attack(
        "an_address_padded_to_be_another",
        (f"insert into letters {letter_values(address=' sent@acme.example')}",),
        "letter_address_is_trimmed",
    ),
    Attack(
        "a_second_letter_of_one_identity",
        (f"insert into letters {letter_values(customer_id='C-sent')}",),
        "letter_identity|letters_not_replaced",
    ),
    Attack(
        "a_second_try_while_the_first_is_alive",
        (f"insert into letters {letter_values(customer_id='C-sent', try_number=2)}",),
        "letter_alive_once|letters_not_replaced",
    ),
    Attack(
        "a_letter_sent_by_upsert",
        (
            f"insert into letters {letter_values(letter_id='approved', customer_id='C-approved')}"
            " on conflict (letter_id) do update set state = 'sent', sent_at = excluded.decided_as_of_date",
        ),
        "letter_step|letters_not_replaced",
    ),
    Attack(
        "a_letter_sent_by_merge",
        (
            "merge into letters using (select 'approved' as id) as other on letter_id = other.id"
            f" when matched then update set state = 'sent', sent_at = {AT}",
        ),
        "letter_step",
        only="postgresql",
    ),
    Attack(
        "a_letter_copied_in_from_a_program",
        (
            "copy letters (letter_id, batch_id, kind, entity_id, customer_id, currency_code, episode, level,"
            " try_number, stage, channel, language_code, address, total_amount, state, message_hash,"
            " decided_as_of_date) from program 'printf \"new\\tb\\tdunning\\tE1\\tC-new\\tEUR\\t1\\t1\\t1\\ts\\temail"
            "\\ten\\ta@b.example\\t1\\tapproved\\t00\\t2026-03-12\\n\"'",
        ),
        "letter_begins",
        only="postgresql",
    ),
]

_STEPS = [
    _update(f"{before}_letter_made_{after}", before, f"state = '{after}', sent_at = {AT}", refusal)
    for before, after, refusal in (
        ("rendered", "sent", "letter_step"),
        ("approved", "sent", "letter_step"),
        ("approved", "delivered", "letter_step"),
        ("delivered", "sent", "letter_step"),
        ("bounced", "delivered", "letter_step"),
        ("cancelled", "sent", "letter_step"),
    )
] + [
    _update("approved_letter_made_rendered", "approved", "state = 'rendered'", "letter_step"),
    _update("sent_letter_sent_again", "sent", "state = 'approved'", "letter_step"),
    _update("unknown_letter_sent_again", "unknown", "state = 'approved'", "letter_step"),
    _claim("unknown_letter_claimed_again", "unknown", "letter_step"),
    _claim("sent_letter_claimed_again", "sent", "letter_step"),
    _update("cancelled_letter_revived", "cancelled", "state = 'approved'", "letter_step"),
    _update("refused_letter_revived", "refused", "state = 'approved'", "letter_step"),
    _update("presumed_letter_revived", "presumed_not_sent", "state = 'approved'", "letter_step"),
    _update("complaint_forgotten", "complained", "state_reason = 'never mind'", "letter_is_final"),
]

_APPROVED_STEPS = [
    _update(
        "a_letter_approved_without_a_list",
        "rendered",
        f"state = 'approved', state_changed_at = {AT}",
        "letter_approval",
    ),
    _update(
        "a_letter_approved_while_its_list_waits",
        "asked",
        f"state = 'approved', state_changed_at = {AT}",
        "letter_approval",
    ),
    _update(
        "a_letter_approved_by_a_list_of_others",
        "rendered",
        f"state = 'approved', request_id = 'R-sent', state_changed_at = {AT}",
        "letter_in_the_approved_list",
    ),
    _update(
        "a_letter_approved_by_a_list_that_expired",
        "rendered",
        f"state = 'approved', request_id = 'R-sent', state_changed_at = {LATER}",
        "letter_approval",
    ),
    _update(
        "a_letter_approved_by_a_list_of_referrals",
        "rendered",
        f"state = 'approved', request_id = 'R-referrals', state_changed_at = {AT}",
        "letter_approval",
    ),
    _update(
        "a_letter_approved_by_a_rejected_list",
        "rendered",
        f"state = 'approved', request_id = 'R-no', state_changed_at = {AT}",
        "letter_approval",
    ),
    _update(
        "a_letter_approved_at_no_time",
        "rendered",
        "state = 'approved', request_id = 'R-sent', state_changed_at = null",
        "letter_approval",
    ),
    Attack(
        "a_second_try_with_one_approval",
        (
            _asked("R-again"),
            "insert into approval_items select 'R-again', letter_id, message_hash, address from letters"
            " where letter_id = 'again'",
            _said("R-again", "anna"),
            "update approval_requests set state = 'approved' where request_id = 'R-again'",
            f"update letters set state = 'approved', request_id = 'R-again', state_changed_at = {AT}"
            " where letter_id = 'again'",
        ),
        "letter_second_try",
    ),
]

_CONTENT = [
    _update(
        "an_identity_moved_to_another_customer", "rendered", "customer_id = 'C-2'", "letter_identity_is_kept"
    ),
    _update("a_letter_renamed", "rendered", "letter_id = 'other'", "letter_identity_is_kept"),
    _update("a_try_renumbered_to_send_again", "sent", "try_number = 2", "letter_identity_is_kept"),
    *(
        _update(
            f"{column}_of_an_approved_letter_changed",
            "approved",
            f"{column} = {value}",
            "letter_content_is_kept",
        )
        for column, value in (
            ("address", "'thief@evil.example'"),
            ("message_hash", f"'{ZEROS}'"),
            ("total_amount", "'0.0100'"),
            ("request_id", "'R-sent'"),
            ("quiet_days", "0"),
        )
    ),
    _update("batch_of_a_sent_letter_changed", "sent", "batch_id = 'other'", "letter_content_is_kept"),
    _update(
        "an_address_changed_under_its_list", "asked", "address = 'x@evil.example'", "letter_content_is_kept"
    ),
    Attack(
        "a_message_exchanged_after_approval",
        ("update letter_messages set letter_id = 'mute' where letter_id = 'approved'",),
        "message_changed",
    ),
    Attack(
        "a_message_added_after_approval",
        ("insert into letter_messages select 'mute', content from letter_messages where letter_id = 'sent'",),
        "message_added",
    ),
    Attack(
        "a_message_deleted_before_it_left",
        ("delete from letter_messages where letter_id = 'approved'",),
        "message_kept",
    ),
    Attack(
        "an_amount_on_a_sent_letter_changed",
        ("update letter_lines set amount = '0.0100' where letter_id = 'sent'",),
        "line_changed",
    ),
    Attack(
        "a_line_moved_onto_a_sent_letter",
        ("update letter_lines set letter_id = 'sent', line_number = 2 where letter_id = 'rendered'",),
        "line_changed",
    ),
    Attack(
        "a_line_added_to_an_approved_letter",
        (
            "insert into letter_lines select letter_id, 2, invoice_id, installment_number, invoice_number, po_number,"
            " currency_code, occasion, invoice_amount, disputed_amount, amount, days_past_due, invoice_date, due_date"
            " from letter_lines where letter_id = 'approved'",
        ),
        "line_added",
    ),
    Attack(
        "a_line_of_a_sent_letter_deleted", ("delete from letter_lines where letter_id = 'sent'",), "line_kept"
    ),
    *(
        Attack(
            f"{state}_letter_deleted",
            (
                f"delete from letter_messages where letter_id = '{state}'" if state == "sent" else "select 1",
                f"delete from letters where letter_id = '{state}'",
            ),
            "letter_is_kept",
        )
        for state in ("approved", "sent", "cancelled")
    ),
]

_CLAIMS = [
    _claim("a_claim_without_an_owner", "ready", "letter_claim", owner="null"),
    _claim("a_claim_without_a_lease", "ready", "letter_claim", lease_until="null"),
    _claim("a_claim_without_a_day", "ready", "letter_claim", contact_date="null"),
    _claim("a_claim_without_a_carrier", "ready", "letter_claim", carrier="null"),
    _claim("a_claim_that_counts_no_attempt", "ready", "letter_claim", attempt_count="attempt_count"),
    _claim("a_claim_that_is_over_already", "ready", "letter_claim", lease_until=EARLIER),
    _claim("a_claim_without_a_message", "mute", "letter_has_its_message"),
    _claim(
        "a_claim_when_the_approval_is_over",
        "ready",
        "letter_approval",
        state_changed_at=LATER,
        lease_until="'2026-03-15 12:00:00.000000'",
    ),
    _claim("a_claim_before_the_back_off_ends", "approved", "letter_back_off"),
    _claim("a_second_contact_of_a_customer_within_quiet_days", "quiet", "letter_quiet_days_of_customer"),
    _claim("a_second_contact_of_an_address_in_capitals", "loud", "letter_quiet_days_of_address"),
    _claim(
        "a_contact_day_before_the_last_contact",
        "quiet",
        "letter_quiet_days_of_customer",
        contact_date="'2026-03-07'",
    ),
    _claim("a_letter_to_a_suppressed_address", "shunned", "letter_to_a_suppressed_address"),
    _update("a_claim_stolen", "sending", "owner = 'thief'", "letter_claim_is_kept"),
    _update(
        "a_lease_made_longer", "sending", "lease_until = '2027-01-01 00:00:00.000000'", "letter_claim_is_kept"
    ),
    _update("attempts_counted_down", "approved", "attempt_count = attempt_count - 1", "letter_claim_is_kept"),
    _update(
        "a_contact_day_moved_back_to_end_quiet_days",
        "sent",
        "contact_date = '2026-01-01'",
        "letter_claim_is_kept",
    ),
    _update(
        "a_day_of_leaving_rewritten",
        "sent",
        "sent_at = '2026-01-01 00:00:00.000000'",
        "letter_left_as_it_left",
    ),
    _update(
        "a_letter_with_a_day_of_leaving_that_did_not_leave",
        "unknown",
        f"sent_at = {AT}",
        "letter_left_as_it_left",
    ),
    Attack(
        "a_claim_on_counts_of_an_hour_ago",
        (
            "set transaction isolation level repeatable read",
            _claim("", "ready", "").sql[0],
        ),
        "letter_claim",
        only="postgresql",
    ),
    _update(
        "a_letter_that_may_have_left_to_be_sent_again",
        "sending",
        "state = 'approved', owner = null, lease_until = null, contact_date = null",
        "letter_outcome",
    ),
    _update(
        "a_letter_called_sent_before_the_carrier_answered",
        "sending",
        f"state = 'sent', owner = null, lease_until = null, sent_at = {AT}",
        "letter_outcome",
    ),
    _update(
        "a_letter_called_refused_before_the_carrier_answered",
        "sending",
        "state = 'refused', owner = null, lease_until = null",
        "letter_outcome",
    ),
    Attack(
        "a_letter_sent_without_an_attempt",
        (
            _claim("", "ready", "").sql[0],
            "update letters set state = 'sent', owner = null, lease_until = null, sent_at ="
            " '2026-03-12 12:00:01.000000' where letter_id = 'ready'",
        ),
        "letter_attempt_is_there",
    ),
]

_ATTEMPTS = [
    Attack("an_attempt_of_an_approved_letter", (_attempt("ready", 1),), "attempt_of_a_claim"),
    Attack("an_attempt_of_a_sent_letter", (_attempt("sent", 2),), "attempt_of_a_claim"),
    Attack("a_second_attempt_of_one_claim", (_attempt("sending", 2),), "attempt_of_a_claim"),
    Attack("an_attempt_of_another_worker", (_attempt("sending", 2, owner="'thief'"),), "attempt_of_a_claim"),
    Attack(
        "an_attempt_written_down_afterwards",
        (
            _claim("", "ready", "").sql[0],
            _attempt("ready", 1, owner="'thief'", ended_at=AT, outcome="'accepted'"),
        ),
        "attempt_begins",
    ),
    Attack(
        "an_outcome_changed",
        ("update attempts set outcome = 'refused' where letter_id = 'sent'",),
        "attempt_ends_once",
    ),
    Attack(
        "an_attempt_reopened",
        ("update attempts set ended_at = null, outcome = null where letter_id = 'sent'",),
        "attempt_ends_once",
    ),
    Attack(
        "an_attempt_given_to_another_letter",
        ("update attempts set letter_id = 'rendered' where letter_id = 'sending'",),
        "attempt_ends_once",
    ),
    Attack(
        "an_attempt_deleted", ("delete from attempts where letter_id = 'unknown'",), "attempts_delete_refused"
    ),
]

_LISTS = [
    Attack("an_approval_of_ones_own_list", (_said("R-asked", "robot"),), "approval_by_another_person"),
    Attack(
        "an_approval_of_ones_own_list_in_capitals", (_said("R-asked", "ROBOT"),), "approval_by_another_person"
    ),
    Attack(
        "an_approval_of_ones_own_list_with_a_space",
        (_said("R-asked", "robot "),),
        "approval_by_another_person",
    ),
    Attack(
        "an_approval_of_ones_own_list_with_a_tab",
        (_said("R-asked", "\trobot"),),
        "approval_by_another_person",
    ),
    Attack(
        "an_approval_of_ones_own_list_in_cyrillic",
        (_said("R-asked", "r\u043ebot"),),
        "approval_by_another_person",
    ),
    Attack(
        "an_approval_of_ones_own_list_full_width",
        (_said("R-asked", "\uff52obot"),),
        "approval_by_another_person",
    ),
    Attack("an_approval_by_nobody", (_said("R-asked", ""),), "approval_by_another_person"),
    Attack(
        "an_approval_that_names_another_preparer",
        (_said("R-asked", "robot", prepared_by="'anna'"),),
        "approval_of_a_waiting_list",
    ),
    Attack(
        "an_approval_of_another_content",
        (_said("R-asked", "anna", content_hash="'00'"),),
        "approval_of_a_waiting_list",
    ),
    Attack("a_second_yes_of_one_person", (_said("R-two", "anna"),), "approvals_pkey|approvals_not_replaced"),
    Attack("a_second_yes_of_one_person_in_capitals", (_said("R-two", "Anna"),), "approval_by_another_person"),
    Attack(
        "an_approval_when_the_list_is_over",
        (_said("R-asked", "anna", approved_at=LATER, expires_at="'2026-03-15 12:00:00.000000'"),),
        "approval_of_a_waiting_list",
    ),
    Attack(
        "an_approval_that_outlives_its_list",
        (_said("R-asked", "anna", expires_at="'2027-01-01 00:00:00.000000'"),),
        "approval_of_a_waiting_list",
    ),
    Attack("an_approval_of_a_rejected_list", (_said("R-no", "anna"),), "approval_of_a_waiting_list"),
    Attack("the_policy_in_the_place_of_people", (_said("R-asked", "policy"),), "approval_by_another_person"),
    Attack("a_no_made_a_yes", ("update approvals set verdict = 'approve'",), "approvals_update_refused"),
    Attack("a_no_deleted", ("delete from approvals where verdict = 'reject'",), "approvals_delete_refused"),
    Attack(
        "one_yes_where_two_are_asked",
        ("update approval_requests set state = 'approved' where request_id = 'R-two'",),
        "request_approval",
    ),
    Attack(
        "a_list_approved_although_somebody_said_no",
        ("update approval_requests set state = 'approved' where request_id = 'R-torn'",),
        "request_approval",
    ),
    Attack(
        "fewer_people_asked",
        ("update approval_requests set required_approval_count = 1 where request_id = 'R-two'",),
        "request_is_kept",
    ),
    *(
        Attack(
            f"{column}_of_a_list_changed",
            (f"update approval_requests set {column} = {value} where request_id = 'R-asked'",),
            "request_is_kept",
        )
        for column, value in (
            ("content", "'[]'"),
            ("content_hash", "'00'"),
            ("prepared_by", "'nobody'"),
            ("expires_at", "'2027-01-01 00:00:00.000000'"),
            ("amounts", "'{}  '"),
        )
    ),
    Attack(
        "a_rejected_list_waits_again",
        ("update approval_requests set state = 'waiting' where request_id = 'R-no'",),
        "request_step",
    ),
    Attack(
        "a_rejected_list_approved",
        ("update approval_requests set state = 'approved' where request_id = 'R-no'",),
        "request_step",
    ),
    Attack(
        "a_list_superseded_after_it_was_carried_out",
        ("update approval_requests set state = 'superseded' where request_id = 'R-referrals'",),
        "request_step",
    ),
    Attack(
        "a_list_carried_out_again",
        ("update approval_requests set carried_out_at = null where request_id = 'R-referrals'",),
        "request_carried_out",
    ),
    Attack(
        "a_list_carried_out_before_it_is_approved",
        (f"update approval_requests set carried_out_at = {AT} where request_id = 'R-two'",),
        "request_carried_out",
    ),
    Attack(
        "a_list_deleted",
        ("delete from approval_requests where request_id = 'R-two'",),
        "approval_requests_delete_refused",
    ),
    Attack("a_list_that_begins_approved", (_asked(state="'approved'"),), "request_begins"),
    Attack("a_list_that_expired_before_it_was_prepared", (_asked(expires_at=AT),), "request_begins"),
    Attack("a_preparer_with_a_space", (_asked(prepared_by="'anna '"),), "request_preparer"),
    Attack("a_preparer_without_a_name", (_asked(prepared_by="''"),), "request_preparer"),
    Attack(
        "a_letter_slipped_into_a_list_that_somebody_read",
        ("insert into approval_items values ('R-two', 'rendered', '00', 'a@b.example')",),
        "approval_item_of_a_new_list",
    ),
    Attack(
        "an_address_exchanged_in_a_list",
        ("update approval_items set address = 'x@evil.example' where request_id = 'R-asked'",),
        "approval_items_update_refused",
    ),
    Attack(
        "a_letter_taken_out_of_a_list",
        ("delete from approval_items where request_id = 'R-asked'",),
        "approval_items_delete_refused",
    ),
]

_HISTORY = [
    Attack(
        "an_event_changed",
        ("update delivery_events set event_type = 'delivery'",),
        "delivery_events_update_refused",
    ),
    Attack(
        "an_event_deleted",
        ("delete from delivery_events where event_id = 'E-2'",),
        "delivery_events_delete_refused",
    ),
    Attack("a_suppression_deleted", ("delete from suppressions",), "suppressions_delete_refused"),
    Attack(
        "a_suppression_moved_to_another_address",
        ("update suppressions set address = 'x@evil.example' where lifted_at is null",),
        "suppressions_lifted_once",
    ),
    Attack(
        "a_suppression_lifted_by_nobody",
        (f"update suppressions set lifted_at = {AT} where lifted_at is null",),
        "suppressions_lifted_once",
    ),
    Attack(
        "a_lifted_suppression_rewritten",
        ("update suppressions set lifted_by = 'bob' where lifted_at is not null",),
        "suppressions_lifted_once",
    ),
    Attack(
        "a_suppression_that_was_never_open",
        (
            f"insert into suppressions (address, reason, since, lifted_at) values ('x@y.example', 'r', {AT}, {AT})",
        ),
        "suppressions_begin_open",
    ),
    Attack("a_pause_deleted", ("delete from pauses",), "pauses_delete_refused"),
    Attack("a_pause_ended_early", (f"update pauses set until = {AT}",), "pauses_lifted_once"),
    Attack(
        "a_pause_that_was_never_open",
        (
            f"insert into pauses (carrier, reason, detail, since, lifted_at) values ('ses', 'r', '', {AT}, {AT})",
        ),
        "pauses_begin_open",
    ),
    Attack("a_placement_deleted", ("delete from placements",), "placements_delete_refused"),
    Attack(
        "a_placed_amount_changed", ("update placements set placed_amount = '1.0000'",), "placement_recalled"
    ),
    Attack(
        "a_placement_moved_to_another_agency",
        ("update placements set agency_id = 'B'",),
        "placement_recalled",
    ),
    Attack(
        "an_item_placed_by_a_list_that_waits",
        (
            "insert into placements (invoice_id, installment_number, customer_id, agency_id, placed_date, request_id)"
            " values ('I-2', 1, 'C-1', 'A', '2026-03-12', 'R-two')",
        ),
        "placement_approved",
    ),
    Attack(
        "an_order_held_by_a_list_of_referrals",
        (
            "insert into order_holds select 'H-2', order_id, customer_id, action, reason, decided_as_of_date,"
            " 'R-referrals', exported_at from order_holds",
        ),
        "order_hold_approved",
    ),
    Attack(
        "an_item_placed_without_a_list",
        (
            "insert into placements (invoice_id, installment_number, customer_id, agency_id, placed_date)"
            " values ('I-2', 1, 'C-1', 'A', '2026-03-12')",
        ),
        "placement_approved",
    ),
    Attack(
        "a_hold_made_a_release", ("update order_holds set action = 'release'",), "order_holds_update_refused"
    ),
    Attack("a_hold_deleted", ("delete from order_holds",), "order_holds_delete_refused"),
    Attack("a_task_rewritten", ("update activities set note = 'done'",), "activity_closed_once"),
    Attack("a_task_deleted", ("delete from activities",), "activities_delete_refused"),
    Attack(
        "an_entry_of_the_audit_changed",
        ("update audit set actor = 'bob' where sequence = 2",),
        "audit_update_refused",
    ),
    Attack(
        "an_entry_of_the_audit_deleted", ("delete from audit where sequence = 2",), "audit_delete_refused"
    ),
    Attack(
        "the_last_entries_of_the_audit_deleted",
        ("delete from audit where sequence > 3",),
        "audit_delete_refused",
    ),
    Attack("an_audit_with_a_gap", (_link(f"{_NEXT} + 1", _LAST, _FRESH),), "audit_continues"),
    Attack(
        "an_audit_that_forks",
        (_link(_NEXT, "(select hash from audit where sequence = 1)", _FRESH),),
        "audit_continues",
    ),
    Attack("an_audit_that_begins_anew", (_link("0", f"'{ZEROS}'", _FRESH),), "audit_continues"),
    Attack(
        "the_end_of_the_audit_moved_back",
        ("update audit_head set sequence = 1, hash = (select hash from audit where sequence = 1)",),
        "audit_head_is_the_last_link",
    ),
    Attack("a_second_end_of_the_audit", ("insert into audit_head values (2, 0, '')",), "audit_head_is_there"),
    Attack("an_audit_without_an_end", ("delete from audit_head",), "audit_head_delete_refused"),
    Attack("an_entry_without_a_hash", (_link(_NEXT, _LAST, "''"),), "audit_continues"),
    *(
        Attack(f"{table}_emptied", (f"truncate {table} cascade",), "never emptied", only="postgresql")
        for table in ("audit", "letters", "attempts", "approvals", "delivery_events")
    ),
    Attack(
        "a_session_that_claims_to_be_a_replica",
        (
            "set local session_replication_role = replica",
            "update letters set state = 'approved' where letter_id = 'sent'",
        ),
        "letter_step",
        only="postgresql",
    ),
]


def _or_replace(name: str, sql: str, refusal: str) -> Attack:
    return Attack(name, (sql,), refusal, only="sqlite")


_REPLACED = [
    _or_replace(
        "a_sent_letter_replaced",
        f"insert or replace into letters {letter_values(letter_id='sent', customer_id='C-sent')}",
        "letters_not_replaced",
    ),
    _or_replace(
        "a_letter_replaced_by_its_identity",
        f"replace into letters {letter_values(customer_id='C-sent')}",
        "letters_not_replaced",
    ),
    _or_replace(
        "a_letter_replaced_by_a_second_try",
        f"replace into letters {letter_values(customer_id='C-sent', try_number=2)}",
        "letters_not_replaced",
    ),
    _or_replace(
        "a_link_of_the_audit_replaced",
        _link(_NEXT, _LAST, "(select hash from audit where sequence = 2)", "replace"),
        "audit_not_replaced",
    ),
    _or_replace(
        "a_no_replaced_by_a_yes",
        _said("R-torn", "bob").replace("insert", "replace", 1),
        "approvals_not_replaced",
    ),
    _or_replace(
        "a_list_replaced", _asked("R-two").replace("insert", "replace", 1), "approval_requests_not_replaced"
    ),
    _or_replace(
        "an_item_of_a_list_replaced",
        "replace into approval_items values ('R-asked', 'asked', '00', 'x@evil.example')",
        "approval_items_not_replaced",
    ),
    _or_replace(
        "an_event_replaced",
        "replace into delivery_events select event_id, letter_id, carrier, 'delivery', null, null, occurred_at,"
        " received_at, content_hash from delivery_events where event_id = 'E-2'",
        "delivery_events_not_replaced",
    ),
    _or_replace(
        "a_suppression_replaced",
        "replace into suppressions (suppression_id, address, reason, since) values (1, 'x@y.example', 'r', 'now')",
        "suppressions_not_replaced",
    ),
    _or_replace(
        "a_pause_replaced",
        "replace into pauses (pause_id, carrier, reason, detail, since) values (1, 'x', 'r', '', 'now')",
        "pauses_not_replaced",
    ),
    _or_replace(
        "a_placement_replaced",
        "replace into placements (invoice_id, installment_number, customer_id, agency_id, placed_date, request_id)"
        " values ('I-1', 1, 'C-2', 'B', '2026-03-12', 'R-referrals')",
        "placements_not_replaced",
    ),
    _or_replace(
        "a_hold_replaced",
        "replace into order_holds select hold_id, 'O-2', customer_id, action, reason, decided_as_of_date, request_id,"
        " exported_at from order_holds",
        "order_holds_not_replaced",
    ),
    _or_replace(
        "a_task_replaced",
        "replace into activities (activity_id, customer_id, activity_at, channel, outcome_code, note, is_task)"
        " values ('T-1', 'C-2', 'now', 'email', 'x', 'nothing', 0)",
        "activities_not_replaced",
    ),
    Attack(
        "checks_switched_off",
        (
            "pragma ignore_check_constraints = on",
            "update letters set state = 'gone' where letter_id = 'sent'",
        ),
        "letter_step",
        only="sqlite",
    ),
]

ATTACKS: tuple[Attack, ...] = (
    *_BEGINNINGS, *_STEPS, *_APPROVED_STEPS, *_CONTENT, *_CLAIMS, *_ATTEMPTS, *_LISTS, *_HISTORY, *_REPLACED,
)  # fmt: skip
