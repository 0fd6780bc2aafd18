"""Policies: what is shipped is complete, what is wrong is refused as a whole with every fault named."""

import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from o2c.dunning.reasons import REASON_CODES
from o2c.policy import CurrencyAmounts, PolicyError, load_policies, policy_tables
from o2c.policy.load import MODELS

SHIPPED = Path(__file__).parents[2] / "policies"
POLICIES = load_policies(SHIPPED)


@pytest.fixture
def folder(tmp_path):
    copied = tmp_path / "policies"
    shutil.copytree(SHIPPED, copied)
    return copied


def change(folder, name, old, new):
    path = folder / f"{name}.yml"
    text = path.read_text()
    assert text.count(old) == 1, (name, old)
    path.write_text(text.replace(old, new))


def faults(folder):
    with pytest.raises(PolicyError) as refused:
        load_policies(folder)
    return str(refused.value).replace(str(folder), "policies").splitlines()


def test_the_shipped_ladder_is_that_of_the_design():
    ladder = [
        (
            stage.level,
            stage.stage,
            stage.days_past_due,
            stage.channel,
            stage.tone,
            stage.required_approval_count,
        )
        for stage in POLICIES.dunning.stages
    ]
    assert ladder == [
        (1, "first_contact", 1, "email", "friendly", 0),
        (2, "follow_up", 7, "email", "firm", 0),
        (3, "final_notice", 14, "email", "final", 1),
        (4, "legal_review", 21, "task", None, 0),
    ]
    dunning = POLICIES.dunning
    assert dunning.courtesy.offsets_days == (-7, -3)
    assert (dunning.min_days_between, dunning.quiet_days, dunning.reset_days) == (6, 6, 7)
    assert [dunning.minimum_net_due_amount.amount_for(code) for code in ("EUR", "JPY")] == [25, 2500]


def test_the_shipped_scores_and_thresholds_are_those_of_the_design():
    worklist, agency, credit = POLICIES.worklist, POLICIES.agency, POLICIES.credit
    assert [str(value) for value in worklist.weights.model_dump().values()] == ["0.40", "0.35", "0.25"]
    assert [str(value) for value in worklist.caps.model_dump().values()] == ["5000.00", "90", "30"]
    assert (str(worklist.high_score), str(worklist.medium_score)) == ("0.35", "0.20")
    assert (agency.more_than_days_past_due, agency.final_notice_min_days, agency.no_payment_days) == (
        90,
        14,
        30,
    )
    assert (agency.required_approval_count, credit.oldest_days_past_due, credit.slowing_days) == (2, 30, 10)
    assert str(POLICIES.controls.max_rejected_ratio) == "0.005"


def test_a_fault_names_the_file_the_place_and_what_is_wrong(folder):
    change(
        folder,
        "dunning",
        "stage: follow_up, days_past_due: 7",
        "stage: follow_up, days_past_due: 0, tmplate: x",
    )
    assert faults(folder) == [
        "policies/dunning.yml: policy not accepted, nothing was run.",
        "  stages.1.days_past_due: Input should be greater than or equal to 1",
        "  stages.1.tmplate: Extra inputs are not permitted "
        "(known: level, stage, days_past_due, channel, tone, required_approval_count, has_pdf)",
    ]


def test_all_faults_of_all_files_are_named_at_once(folder):
    change(folder, "dunning", "quiet_days: 6 ", "quite_days: 6 ")
    change(folder, "dunning", 'default: "25.00"', "default: 25.00")
    change(folder, "segments", "trend: 0.15", "trend: 0.16")
    (folder / "terms.yml").unlink()
    (folder / "duning.yml").write_text("{}")
    assert faults(folder) == [
        "policies/dunning.yml: policy not accepted, nothing was run.",
        "  quiet_days: Field required",
        '  minimum_net_due_amount.default: write an amount as quoted text, like "25.00"',
        "  quite_days: Extra inputs are not permitted (did you mean quiet_days?)",
        "policies/segments.yml: policy not accepted, nothing was run.",
        "  risk_weights: weights must add up to 1, not 1.01",
        "policies/terms.yml: policy not accepted, nothing was run.",
        "  the file is missing; copy it from the policies/ folder of the project",
        "policies/duning.yml: policy not accepted, nothing was run.",
        f"  no policy has this name; there are {', '.join(MODELS)} (.yml)",
    ]


CROSS_FIELD = [
    ("dunning", "days_past_due: 14", "days_past_due: 7", "days_past_due must rise from level to level"),
    ("dunning", "days_past_due: {2: 7, 3: 13, 4: 19}", "days_past_due: {2: 14}", "override high_risk_shorter_ladder"),
    ("dunning", "channel: task}", "channel: email, tone: final}", "level 4 is a task"),
    ("dunning", "channel: task}", "channel: task, tone: firm}", "a message needs a tone, a task has none"),
    ("dunning", "stage: follow_up", "stage: first_contact", "a name of its own"),
    ("dunning", "offsets_days: [-7, -3]", "offsets_days: [-3, -7]", "must rise"),
    ("dunning", "offsets_days: [-7, -3]", "offsets_days: [0]", "less than or equal to -1"),
    ("dunning", 'closes_at: "18:00"', 'closes_at: "07:00"', "closes_at must be later"),
    ("dunning", 'opens_at: "08:00"', "opens_at: 800", "write a time as quoted text"),
    ("dunning", "    risk_class: high\n", "", "say whom it is for"),
    ("dunning", "\n    required_approval_count: {2: 1}", "", "say what is different"),
    ("dunning", 'JPY: "2500"', 'JPY: "2500.50"', "finer than the currency's smallest unit: JPY 2500.50"),
    ("dunning", 'JPY: "2500"', 'JPN: "2500"', "'JPN' is no currency of ISO 4217"),
    ("dunning", 'JPY: "2500"', 'JPY: "-1"', "'-1' is no amount"),
    ("dunning", 'JPY: "2500"', 'JPY: "NaN"', "'NaN' is no amount"),
    ("dunning", "review_by: 2028-12-31", "review_by: soon", "valid date"),
    ("segments", "risk_medium_ratio: 0.25", "risk_medium_ratio: 0.50", "below risk_high_ratio"),
    ("segments", "slightly_late_days: 15", "slightly_late_days: 15.0", "valid integer"),
    ("aging", "from_day: 31", "from_day: 32", "the day after the one before ends"),
    ("aging", "label: 1-30", "label: 1-31", "labels must be current, 1-30"),
    ("aging", "{label: current, to_day: 0}", "{label: current, to_day: 1}", "not past due on its due date"),
    ("agency", "required_approval_count: 2", "required_approval_count: 1", "greater than or equal to 2"),
    ("agency", "\nmore_than_days_past_due: 90", "\nmore_than_days_past_due: 89", "greater than or equal to 90"),
    ("dunning", "required_approval_count: 1,", "required_approval_count: 3,", "less than or equal to 2"),
    ("dunning", "has_pdf: true", "has_pdf: yes", "valid boolean"),
    ("dunning", "channel: task}", "channel: task, has_pdf: true}", "a task has no PDF"),
    ("dunning", "max_level: 2", "max_level: 3", "less than or equal to 2"),
    ("dunning", "max_characters: 306", "max_characters: 307", "less than or equal to 306"),
    ("dunning", "enabled: false", "enabled: 0", "valid boolean"),
    ("dunning", "required_approval_count: {2: 1}", "required_approval_count: {4: 1}", "less than or equal to 3"),
    ("dunning", "retry_approval_count: 2", "retry_approval_count: 3", "less than or equal to 2"),
    ("dunning", "quiet_days: 6", "quiet_days: 0", "greater than or equal to 1"),
    ("dunning", "max_level: 1\n  valid_from", "max_level: 5\n  valid_from", "less than or equal to 4"),
    ("segments", "tier_a_revenue_ratio: 0.80", "tier_a_revenue_ratio: 0.0", "greater than 0"),
    ("segments", "new_customer_settled_count: 3", "new_customer_settled_count: 0", "greater than or equal to 1"),
    ("credit", "required_approval_count: 2", "required_approval_count: 0", "greater than or equal to 1"),
    ("credit", "limit_step_amount: \"100.00\"", "limit_step_amount: \"0\"", "greater than 0"),
    ("credit", "reduced_limit_ratio: 0.75", "reduced_limit_ratio: 1.01", "less than or equal to 1"),
    ("matching", "min_reference_length: 4", "min_reference_length: 0", "greater than or equal to 1"),
    ("worklist", "default_daily_capacity: 40", "default_daily_capacity: 0", "greater than or equal to 1"),
    ("credit", "flag_code: limit_expired", "flag_code: over_limit", "more than once: ['over_limit']"),
    ("worklist", "high_score: 0.35", "high_score: 0.20", "below high_score"),
    ("worklist", "amount: 0.40", "amount: 0.41", "weights must add up to 1"),
    ("worklist", "all_disputed: -0.20", "all_disputed: 0.20", "less than or equal to 0"),
    ("matching", "  - invoice_id\n", "  - invoice_id\n  - invoice_id\n", "a rule stands twice"),
    ("matching", "  - subset_sum\n", "  - subset_sums\n", "rules: subset_sums unknown; there are all_due, "),
    (
        "matching",
        "[payer_account, payer_name, named_item, open_amount]",
        "[payer_name, payer_name]",
        "a rule stands twice",
    ),
    ("matching", "    typo: 0.60\n", "", "references: typo is missing"),
    ("matching", "order: 0.65", "orders: 0.65", "sums: order is missing; sums: orders is unknown"),
    ("matching", "    typo: 0.60", "    typo: 0.95", "digits or a typo alone would reach automatic_score"),
    ("matching", "    digits: 0.75", "    digits: 1.01", "less than or equal to 1"),
    ("matching", "max_items: 16", "max_items: 21", "less than or equal to 20"),
    ("matching", "identical_items: person", "identical_items: newest", "'person' or 'oldest_first'"),
    ("matching", 'JPY: "4000"', 'JPY: "4000.50"', "finer than the currency's smallest unit: JPY 4000.50"),
    ("reason_codes", "{code: damaged, ", "{code: Damaged, ", "match pattern"),
    ("reason_codes", "{code: damaged, ", "{code: pricing, ", "pricing stands twice; damaged is none of our reasons"),
    ("reason_codes", "customers: {}", "customers: {C-1: {K7: weather}}", "weather is none of our reasons"),
    ("reason_codes", "customers: {}", "customers: {C-1: {K7: freight, k7: tax}}", "customers.C-1: K7 stands twice"),
    ("reason_codes", "lists: {}", "lists: {C-1: [x12_427]}", "'x12_426', 'iso_20022' or 'edifact_4465'"),
    ("reason_codes", "unmapped: unmapped", "unmapped: unknown", "unknown is none of our reasons"),
    ("controls", "group_currency_code: USD", "group_currency_code: XXX", "'XXX' is no currency"),
    ("controls", "America/New_York", "EST5", "no IANA time zone"),
    ("controls", "country_code: US", "country_code: usa", "match pattern"),
    ("controls", "max_rejected_ratio: 0.005", "max_rejected_ratio: 1.5", "less than or equal to 1"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "why"), CROSS_FIELD, ids=lambda value: value[:40])
def test_a_policy_that_contradicts_itself_is_refused(folder, name, old, new, why):
    change(folder, name, old, new)
    first, *lines = faults(folder)
    assert first == f"policies/{name}.yml: policy not accepted, nothing was run."
    assert any(why in line for line in lines), lines


def test_a_key_that_stands_twice_is_refused_with_its_line(folder):
    (folder / "terms.yml").write_text("missing_due_date: []\nmissing_due_date: []\n")
    assert faults(folder)[1] == "  line 2, column 1: 'missing_due_date' stands twice"


def test_text_that_is_no_yaml_is_refused_with_its_line(folder):
    (folder / "terms.yml").write_text("missing_due_date: [document_terms\n")
    assert faults(folder)[1].startswith("  line 2, column 1: ")


def test_an_empty_file_and_a_file_that_is_no_text_are_refused(folder):
    (folder / "terms.yml").write_text("")
    (folder / "aging.yml").write_bytes(b"\xff\xfe")
    assert faults(folder)[1] == "  missing_due_date: Field required"
    assert faults(folder)[3].startswith("  the file cannot be read: 'utf-8' codec")


def test_norway_is_a_country_and_a_time_is_no_number(folder):
    change(folder, "controls", "country_code: US", "country_code: NO")
    assert load_policies(folder).controls.country_code == "NO"
    assert POLICIES.dunning.contact_hours.opens_at.isoformat() == "08:00:00"


def test_the_version_changes_with_a_value_and_not_with_layout(folder):
    change(folder, "controls", "country_code: US", "country_code:   US   # head office")
    assert load_policies(folder).version == POLICIES.version
    change(folder, "controls", "max_rejected_ratio: 0.005", "max_rejected_ratio: 0.006")
    changed = load_policies(folder)
    assert changed.version != POLICIES.version
    assert changed.dunning.policy_version == changed.version
    assert len(changed.version) == 12
    assert int(changed.version, 16) > 0


def test_legal_values_past_their_review_are_named():
    assert POLICIES.past_review(date(2028, 12, 31)) == ()
    overdue = POLICIES.past_review(date(2029, 1, 1))
    assert overdue[0] == "dunning.consumers (2028-12-31)"
    assert len(overdue) == 1 + len(POLICIES.agency.limitation)


def test_an_amount_per_currency_falls_back_to_the_default_in_a_column():
    amounts = CurrencyAmounts.model_validate(
        {"default": "25.00", "by_currency": {"JPY": "2500", "KWD": "8.125"}}
    )
    frame = pl.DataFrame({"currency_code": ["EUR", "JPY", "KWD"]})
    column = frame.select(amount=amounts.amount_expression(pl.col("currency_code")))["amount"]
    assert (column.dtype, column.to_list()) == (
        pl.Decimal(18, 4),
        [Decimal(25), Decimal(2500), Decimal("8.125")],
    )


def test_sql_reads_the_same_values():
    tables = policy_tables(POLICIES)
    assert {"controls", "aging_buckets", "segments", "currencies"} < set(tables)
    assert tables["controls"].to_dicts() == [
        {"group_currency_code": "USD", "time_zone": "America/New_York", "country_code": "US"}
    ]
    assert_frame_equal(
        tables["aging_buckets"],
        pl.DataFrame(
            {
                "bucket_order": [1, 2, 3, 4, 5],
                "aging_bucket": ["current", "1-30", "31-60", "61-90", "over 90"],
                "from_day": [None, 1, 31, 61, 91],
                "to_day": [0, 30, 60, 90, None],
            }
        ),
    )
    assert tables["segments"].row(0, named=True) == {
        "tier_a_revenue_ratio": Decimal("0.80"),
        "tier_c_customer_ratio": Decimal("0.40"),
        "risk_medium_ratio": Decimal("0.25"),
        "risk_high_ratio": Decimal("0.50"),
        "weight_days_late": Decimal("0.30"),
        "weight_past_due": Decimal("0.30"),
        "weight_trend": Decimal("0.15"),
        "weight_broken_promises": Decimal("0.10"),
        "weight_returned_payments": Decimal("0.05"),
        "weight_utilisation": Decimal("0.10"),
        "slightly_late_days": 15,
        "new_customer_settled_count": 3,
        "days_late_cap": 30,
        "trend_cap": 15,
        "broken_promise_cap": 2,
        "returned_payment_cap": 2,
    }
    assert {
        name: dtype for name, dtype in tables["segments"].schema.items() if name.startswith("weight")
    } == {name: pl.Decimal(18, 6) for name in tables["segments"].columns if name.startswith("weight")}
    assert tables["currencies"].filter(pl.col("currency_code").is_in(["EUR", "JPY", "KWD"])).rows() == [
        ("EUR", 2),
        ("JPY", 0),
        ("KWD", 3),
    ]


def test_the_documentation_explains_every_key_and_every_reason():
    text = (SHIPPED.parent / "docs" / "policies.md").read_text()
    keys = {key for name in MODELS for key in type(getattr(POLICIES, name)).model_fields}
    assert {name for name in keys | set(REASON_CODES) if f"`{name}`" not in text} == set()
