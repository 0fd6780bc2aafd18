"""A clerk who decides by hand: the rules of POLICIES §1 in plain Python, one customer at a time.

Written from the rules and not from the code, slow on purpose, so that both can be wrong only in different ways.
"""

from datetime import timedelta
from decimal import Decimal

from o2c.addresses import is_mailbox

HOLDS = ["invoice_blocked", "plan_in_good_standing", "promise_pending", "placed_with_agency", "disputed"]
FAILED = {"cancelled", "refused", "bounced", "not_delivered", "presumed_not_sent"}
WAITS = {"rendered", "approval_pending", "approved"}
DID_NOT_LEAVE = {*WAITS, "cancelled", "refused"}
ARRIVED = {"sent", "delivered"}
DAY = timedelta(days=1)
LADDER = {
    1: (1, "first_contact", 0),
    2: (7, "follow_up", 0),
    3: (14, "final_notice", 1),
    4: (21, "legal_review", 0),
}
SHORT_LADDER = {1: 1, 2: 7, 3: 13, 4: 19}
MOST_AT_ONE_ADDRESS = 2
MINIMUM = {"EUR": Decimal("25"), "JPY": Decimal("2500")}


def is_number(phone):
    """Whether a phone number says its country and nothing but digits."""
    return (
        phone is not None and phone[0] == "+" and phone[1:].isdigit() and len(phone) > 7 and phone[1] != "0"
    )


class Clerk:
    def __init__(self, book, calendar, as_of):
        self.rows = {name: getattr(book, name).to_dicts() for name in book.__dataclass_fields__}
        self.calendar, self.today = calendar, as_of
        self.rows["letters"] = [row for row in self.rows["letters"] if row["decided_as_of_date"] < as_of]
        for row in self.rows["letters"]:
            row["day"] = row["sent_date"] or row["decided_as_of_date"]
        self.customers = {row["customer_id"]: row for row in self.rows["customers"]}

    def decide(self):
        """{key: row} of all decisions."""
        debit = [
            i for i in self.rows["items"] if i["document_type"] != "credit_memo" and i["days_past_due"] >= -7
        ]
        keys = sorted({(i["entity_id"], i["customer_id"], i["currency_code"]) for i in debit})
        self.items = {key: [i for i in debit if self.key_of(i) == key] for key in keys}
        drafts = {key: self.draft(key) for key in keys}
        self.share_addresses(drafts)
        return {key: self.finish(key, draft) for key, draft in drafts.items()}

    @staticmethod
    def key_of(row):
        return row["entity_id"], row["customer_id"], row["currency_code"]

    # ── items ────────────────────────────────────────────────────────────────────────────────────────

    def holds_today(self, block):
        return block["valid_from"] <= self.today and (
            block["valid_until"] is None or block["valid_until"] >= self.today
        )

    def hold(self, item):
        blocks = [b for b in self.rows["blocks"] if self.holds_today(b)]
        if any(b["scope"] == "invoice" and b["subject_id"] == item["invoice_id"] for b in blocks):
            return "invoice_blocked"
        if any(b["scope"] == "customer" and b["subject_id"] == item["customer_id"] for b in blocks):
            return "invoice_blocked"
        for p in self.rows["plans"]:
            covers = p["invoice_id"] == item["invoice_id"] or (
                p["invoice_id"] is None and p["customer_id"] == item["customer_id"]
            )
            if covers and p["is_in_good_standing"]:
                return "plan_in_good_standing"
        for p in self.rows["promises"]:
            general = p["invoice_id"] is None and (p["customer_id"], p["currency_code"]) == (
                item["customer_id"],
                item["currency_code"],
            )
            if p["status"] == "pending" and (general or p["invoice_id"] == item["invoice_id"]):
                return "promise_pending"
        for p in self.rows["placed"]:
            if (p["invoice_id"], p["installment_number"]) == (item["invoice_id"], item["installment_number"]):
                return "placed_with_agency"
        return "disputed" if self.undisputed(item) == 0 else None

    @staticmethod
    def undisputed(item):
        return item["open_amount"] - min(item["disputed_amount"], item["open_amount"])

    # ── one customer, entity and currency ────────────────────────────────────────────────────────────

    def draft(self, key):
        items = self.items[key]
        late = [i for i in items if i["days_past_due"] > 0]
        soon = [i for i in items if i["days_past_due"] <= 0]
        mine = [i for i in late if self.hold(i) is None]
        coming = [i for i in soon if self.hold(i) is None]
        total = lambda rows: sum((self.undisputed(i) for i in rows), Decimal(0))  # noqa: E731
        credit = sum(
            (
                -i["open_amount"]
                for i in self.rows["items"]
                if i["document_type"] == "credit_memo" and self.key_of(i) == key
            ),
            Decimal(0),
        )
        cash = sum(
            (u["unapplied_amount"] for u in self.rows["unapplied"] if self.key_of(u) == key), Decimal(0)
        )
        draft = {
            "late": late, "soon": soon, "mine": mine, "coming": coming,
            "past_due_amount": total(mine), "due_soon_amount": total(coming),
            "credit_memo_amount": credit, "unapplied_amount": cash,
            "net_due_amount": total(mine) - cash - credit,
            "oldest_days_past_due": max((i["days_past_due"] for i in mine), default=None),
        }  # fmt: skip
        self.episode(key, draft)
        self.level(key, draft)
        draft["contact"] = self.contact(key[1])
        draft["reason"] = self.protection(key, draft) or self.ladder(key, draft)
        return draft

    def episode(self, key, draft):
        before = [p for p in self.rows["previous"] if self.key_of(p) == key and p["as_of_date"] < self.today]
        draft["before"] = before = before[0] if before else None
        draft["nothing_past_due_since"] = None
        if before is None or before["episode"] == 0:
            draft["episode"] = 1 if draft["mine"] else 0
            return
        clean_from = before["nothing_past_due_since"] or before["as_of_date"] + DAY
        draft["episode"] = before["episode"]
        if not draft["late"]:
            draft["nothing_past_due_since"] = clean_from
            return
        dirty_from = max(min(i["due_date"] for i in draft["late"]) + DAY, before["as_of_date"] + DAY)
        if (dirty_from - clean_from).days >= 7:
            if draft["mine"]:
                draft["episode"] += 1
            else:
                draft["nothing_past_due_since"] = clean_from

    def level(self, key, draft):
        confirmed = {}
        for one in self.rows["letters"]:
            ours = self.key_of(one) == key and one["kind"] == "dunning" and one["episode"] == draft["episode"]
            if ours and one["state"] in ARRIVED:
                confirmed.setdefault(one["level"], []).append(one["day"])
        oldest_due = min(i["due_date"] for i in self.items[key])
        before = draft["before"]
        for level, day in self.letters_of_others(key[1]):
            counted = (
                before and before["episode"] == draft["episode"] and before["is_confirmed_level"] >= level
            )
            if day > oldest_due or counted:
                confirmed.setdefault(level, []).append(day)
        draft["confirmed"] = max(confirmed, default=0)
        draft["confirmed_day"] = max(confirmed[draft["confirmed"]]) if confirmed else None
        draft["target"] = min(draft["confirmed"] + 1, 4)

    def letters_of_others(self, customer_id):
        for activity in self.rows["activities"]:
            if activity["customer_id"] == customer_id and activity["channel"] == "letter":
                code = activity["outcome_code"] or ""
                if code.startswith("dunned_level_"):
                    yield int(code[-1]), activity["activity_at"].date()

    def contact(self, customer_id):
        """The contact to write to, with the ``way`` and the address ``to`` which."""
        cards = [
            one for one in self.rows["contacts"] if one["customer_id"] == customer_id and self.in_use(one)
        ]
        has_mail = any(is_mailbox(one["email"]) for one in cards)
        usable = []
        for one in cards:
            if is_mailbox(one["email"]):
                way, to = "email", one["email"]
            elif not has_mail and one["sms_consent"] and is_number(one["phone"]):
                way, to = "sms", one["phone"]
            else:
                continue
            if not self.is_dead(one, to):
                recent = -one["valid_from"].toordinal() if one["valid_from"] else 0
                rank = ["dunning", "billing", None].index(one["role"])
                usable.append((rank, recent, one["contact_id"], one | {"way": way, "to": to}))
        return min(usable, key=lambda entry: entry[:3])[-1] if usable else None

    def in_use(self, one):
        return one["role"] != "escalation" and (one["valid_from"] is None or one["valid_from"] <= self.today)

    def is_dead(self, one, to):
        if any(row["address"] == to for row in self.rows["suppressed"]):
            return True
        back = [
            row["day"]
            for row in self.rows["letters"]
            if row["state"] in {"bounced", "not_delivered", "complained"} and row["address"] == to
        ]
        return bool(back) and not (one["valid_from"] is not None and one["valid_from"] > max(back))

    def crowded(self, chosen):
        """More customers than MOST_AT_ONE_ADDRESS would be written to at this address."""
        users = set()
        for other in {one["customer_id"] for one in self.rows["contacts"]}:
            cards = [one for one in self.rows["contacts"] if one["customer_id"] == other and self.in_use(one)]
            if any(is_mailbox(one["email"]) for one in cards):
                ways = [one["email"] for one in cards if is_mailbox(one["email"])]
            else:
                ways = [one["phone"] for one in cards if one["sms_consent"] and is_number(one["phone"])]
            if chosen["to"] in ways:
                users.add(other)
        return len(users) > MOST_AT_ONE_ADDRESS

    def moved(self, chosen):
        """Whether all that was known before the chosen contact came, came lately, is of another domain."""
        if chosen["way"] == "sms":
            return False
        domain = lambda address: address.split("@")[1]  # noqa: E731
        mine = domain(chosen["to"])
        sent = [
            (domain(row["address"]), row["day"])
            for row in self.rows["letters"]
            if row["customer_id"] == chosen["customer_id"] and row["address"] and "@" in row["address"]
        ]
        known = [
            (domain(one["email"]), one["valid_from"])
            for one in self.rows["contacts"]
            if one["customer_id"] == chosen["customer_id"]
            and one["contact_id"] != chosen["contact_id"]
            and is_mailbox(one["email"])
        ]
        came = chosen["valid_from"]
        if came is None:
            elsewhere = [day for where, day in sent if where != mine]
            if not elsewhere:
                return False
            came = max(elsewhere) + DAY
        if (self.today - came).days >= 14:
            return False
        earlier = {where for where, day in sent + known if day is None or day < came}
        return bool(earlier) and mine not in earlier

    def is_angry(self, customer_id):
        """Whether a letter to the customer was called spam and nobody has looked after it since."""
        days = [
            row["state_date"] or row["day"]
            for row in self.rows["letters"]
            if row["customer_id"] == customer_id and row["state"] == "complained"
        ]
        if not days:
            return False
        new_cards = [
            one["valid_from"]
            for one in self.rows["contacts"]
            if one["customer_id"] == customer_id and one["valid_from"] and one["valid_from"] <= self.today
        ]
        lifted = [
            b["valid_until"]
            for b in self.rows["blocks"]
            if b["scope"] == "customer"
            and b["subject_id"] == customer_id
            and b["valid_until"]
            and b["valid_until"] < self.today
        ]
        return not any(day > max(days) for day in new_cards + lifted)

    def protection(self, key, draft):
        _, customer_id, _ = key
        customer = self.customers.get(customer_id)
        kinds = {
            b["kind"]
            for b in self.rows["blocks"]
            if self.holds_today(b) and b["scope"] == "customer" and b["subject_id"] == customer_id
        }
        own_invoices = {i["invoice_id"] for i in self.rows["items"] if i["customer_id"] == customer_id}
        grave = {
            b["kind"]
            for b in self.rows["blocks"]
            if self.holds_today(b) and b["subject_id"] in own_invoices and b["scope"] == "invoice"
        }
        status = customer and customer["status"]
        if status == "insolvent" or "insolvency" in kinds | grave:
            return "insolvent"
        if status == "legal" or "legal" in kinds | grave:
            return "legal"
        if status == "do_not_contact":
            return status
        if self.is_angry(customer_id):
            return "complained"
        if status == "closed":
            return status
        if customer is None:
            return "unknown_customer"
        if status != "active":
            return "unknown_status"
        if customer["customer_type"] == "intercompany":
            return "intercompany"
        if customer["is_stub"]:
            return "unknown_customer"
        if customer["customer_type"] not in {"business", "public", "consumer"}:
            return "unknown_customer_type"
        if customer["country_code"] not in {"DE", "US", "JP"}:
            return "unknown_jurisdiction"
        general_plan = any(
            p["customer_id"] == customer_id and p["invoice_id"] is None and p["is_in_good_standing"]
            for p in self.rows["plans"]
        )
        if "payment_plan" in kinds or general_plan:
            return "payment_plan"
        if kinds:
            return "blocked"
        if any(p["customer_id"] == customer_id for p in self.rows["possible_payers"]):
            return "possible_payer"
        return "block_ended" if self.left_a_block(customer_id, draft) else None

    def left_a_block(self, customer_id, draft):
        yesterday = [b for b in self.rows["blocks"] if b["valid_until"] == self.today - DAY]
        late = {i["invoice_id"] for i in draft["late"]}
        if any(b["scope"] == "customer" and b["subject_id"] == customer_id for b in yesterday):
            return True
        if any(b["scope"] == "invoice" and b["subject_id"] in late for b in yesterday):
            return True
        if draft["before"] is None:
            return False
        reason = draft["before"]["reason_code"]
        if reason in {
            "insolvent",
            "legal",
            "do_not_contact",
            "complained",
            "unknown_status",
            "payment_plan",
            "blocked",
            "possible_payer",
        }:
            return True
        return reason in HOLDS and reason not in {self.hold(i) for i in draft["late"]}

    def ladder(self, key, draft):
        customer, target = self.customers[key[1]], draft["target"]
        if not draft["late"]:
            return "nothing_past_due"
        if not draft["mine"]:
            return min((self.hold(i) for i in draft["late"]), key=HOLDS.index)
        if draft["net_due_amount"] <= 0:
            return "nothing_net_due"
        if draft["net_due_amount"] < MINIMUM[key[2]]:
            return "below_minimum"
        if customer["customer_type"] == "consumer" and target > 1:
            return "natural_person"
        if customer["behaviour_class"] == "always_on_time" and target > 1:
            return "ladder_ended"
        first_day = SHORT_LADDER[target] if customer["risk_class"] == "high" else LADDER[target][0]
        if draft["oldest_days_past_due"] < first_day:
            return "next_level_not_due"
        if draft["confirmed"] and (self.today - draft["confirmed_day"]).days < 6:
            return "too_soon_after_level"
        tries = self.tries(key, draft["episode"], "dunning", level=target)
        if any(t["state"] in {"unknown", "sending", "complained"} for t in tries):
            return "letter_unconfirmed"
        if target == 4:
            return "legal_review_due"
        if draft["contact"] is None or (draft["contact"]["way"] == "sms" and target == 3):
            return "no_valid_address"
        if self.crowded(draft["contact"]):
            return "shared_address"
        if target > 1 and self.moved(draft["contact"]):
            return "address_changed"
        heard = [day for _, day in self.letters_of_others(key[1])]
        for one in self.rows["letters"]:
            mine = one["customer_id"] == key[1] or one["address"] == draft["contact"]["to"]
            if one["kind"] == "dunning" and one["state"] not in DID_NOT_LEAVE and mine:
                heard.append(one["day"])
        if heard and (self.today - max(heard)).days < 6:
            return "quiet_days"
        if not self.calendar.is_business_day(customer["country_code"], self.today):
            return "non_business_day"
        return "level_due"

    def share_addresses(self, drafts):
        waiting = {}
        for (_, customer_id, _), draft in drafts.items():
            if draft["reason"] == "level_due":
                waiting.setdefault(draft["contact"]["to"], {}).setdefault(customer_id, []).append(draft)
        for by_customer in waiting.values():

            def urgency(entry):
                customer_id, own = entry
                heard = [
                    row["day"]
                    for row in self.rows["letters"]
                    if row["customer_id"] == customer_id
                    and row["kind"] == "dunning"
                    and row["state"] not in DID_NOT_LEAVE
                ]
                heard += [day for _, day in self.letters_of_others(customer_id)]
                oldest = max(draft["oldest_days_past_due"] for draft in own)
                return (max(heard).toordinal() if heard else 0, -oldest, customer_id)

            for _, own in sorted(by_customer.items(), key=urgency)[1:]:
                for draft in own:
                    draft["reason"] = "quiet_days"

    # ── reminders ────────────────────────────────────────────────────────────────────────────────────

    def occasion(self, item):
        if item["days_past_due"] >= 0:
            return None
        offset = -3 if item["days_past_due"] >= -3 else -7
        part = f"/{item['installment_number']}" if item["installment_number"] > 1 else ""
        name = f"{item['invoice_id']}{part}@{offset}"
        done = any(
            row["occasion"] == name and row["state"] not in FAILED | WAITS for row in self.rows["lines"]
        )
        return None if done else name

    def courtesy(self, key, draft):
        if not draft["coming"] and draft["soon"]:
            return min((self.hold(i) for i in draft["soon"]), key=HOLDS.index), None
        named = [(self.occasion(i), i) for i in draft["coming"] if self.occasion(i)]
        if not named:
            return "nothing_to_remind", None
        if draft["net_due_amount"] + draft["due_soon_amount"] < MINIMUM[key[2]]:
            return "below_minimum", None
        reminded = [
            row["day"]
            for row in self.rows["letters"]
            if row["kind"] == "courtesy"
            and row["customer_id"] == key[1]
            and row["state"] not in DID_NOT_LEAVE
        ]
        if reminded and (self.today - max(reminded)).days < 3:
            return "reminder_too_soon", None
        if draft["contact"] is None:
            return "no_valid_address", None
        if self.crowded(draft["contact"]):
            return "shared_address", None
        if not self.calendar.is_business_day(self.customers[key[1]]["country_code"], self.today):
            return "non_business_day", None
        pending = {
            row["occasion"]
            for row in self.rows["letters"]
            if row["kind"] == "courtesy"
            and self.key_of(row) == key
            and row["episode"] == draft["episode"]
            and row["state"] in WAITS
        }
        first = min(
            named,
            key=lambda n: (
                n[0] not in pending,
                n[1]["due_date"],
                n[1]["invoice_id"],
                n[1]["installment_number"],
            ),
        )
        return "courtesy_due", first[0]

    def tries(self, key, episode, kind, **what):
        return [
            row
            for row in self.rows["letters"]
            if self.key_of(row) == key
            and (row["episode"], row["kind"]) == (episode, kind)
            and all(row[name] == value for name, value in what.items())
        ]

    # ── the row ──────────────────────────────────────────────────────────────────────────────────────

    def finish(self, key, draft):
        reason, occasion = draft["reason"], None
        standing_still = {*HOLDS, "nothing_past_due", "nothing_net_due", "below_minimum", "natural_person"} | {
            "ladder_ended", "next_level_not_due", "too_soon_after_level", "letter_unconfirmed", "quiet_days",
        }  # fmt: skip
        if reason in standing_still:
            code, occasion = self.courtesy(key, draft)
            if code == "courtesy_due" or reason == "nothing_past_due":
                reason = code
        decision, kind, level, listed = "none", None, draft["confirmed"], []
        if reason == "level_due":
            decision, kind, level, listed = "letter", "dunning", draft["target"], draft["mine"]
        elif reason == "courtesy_due":
            decision, kind, level, listed = "letter", "courtesy", 0, draft["coming"]
        elif reason == "legal_review_due":
            decision, kind, level = "task", "dunning", 4
        try_number, approvals = None, 0
        if decision == "letter":
            what = {"occasion": occasion} if kind == "courtesy" else {"level": level}
            tries = self.tries(key, draft["episode"], kind, **what)
            try_number = 1 + sum(row["state"] in FAILED for row in tries)
            approvals = LADDER[level][2] if level else 0
            if level == 2 and self.customers[key[1]]["customer_group"] == "strategic":
                approvals = 1
            if any(row["state"] == "presumed_not_sent" for row in tries):
                approvals = 2
        if approvals:
            reason = "waiting_for_approval"
        amounts = (
            "past_due_amount",
            "due_soon_amount",
            "credit_memo_amount",
            "unapplied_amount",
            "net_due_amount",
        )
        return {
            "decision": decision,
            "kind": kind,
            "level": level,
            "reason_code": reason,
            "occasion": occasion if kind == "courtesy" else None,
            "episode": draft["episode"],
            "nothing_past_due_since": draft["nothing_past_due_since"],
            "is_confirmed_level": draft["confirmed"],
            "try_number": try_number,
            "required_approval_count": approvals,
            "contact_id": draft["contact"]["contact_id"] if listed else None,
            "channel": draft["contact"]["way"] if listed else "task" if decision == "task" else None,
            "oldest_days_past_due": draft["oldest_days_past_due"],
            "item_count": len(listed) if kind == "courtesy" else len(draft["mine"]),
            "disputed_amount": sum(
                (min(i["disputed_amount"], i["open_amount"]) for i in draft["late"]), Decimal(0)
            ),
            **{name: draft[name] for name in amounts},
            "lines": sorted((i["invoice_id"], i["installment_number"], self.undisputed(i)) for i in listed),
        }
