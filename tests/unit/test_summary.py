"""A summary says what was decided, what to look at and where, in that order."""

from test_run import check, run_of

from o2c.summary import summary_of


def test_a_summary_has_counts_totals_what_to_look_at_and_where() -> None:
    run = run_of(
        decided={
            "dunning": {"letter: past_due": 1234, "none: disputed": 2},
            "letters": [
                {"stage": "first_contact", "currency_code": "EUR", "letters": 1200, "total_amount": "5.00"}
            ],
            "order_holds": [],
            "customers nobody owns": 3,
            "customers in two places": 0,
        },
        checks=[
            check("control_account_ties"),
            check("landing.shrunk", "warn"),
            check("rejected_rows_ratio", passed=True),
        ],
        outputs={"outbox": "/srv/o2c/outbox/index.html", "tables": "/srv/o2c/published/o2c.duckdb"},
    )
    assert summary_of(run).splitlines() == [
        "# o2c 2026-03-12  run abcdef01  policy 0123456789ab",
        "",
        "Dunning:",
        "  letter: past_due             1,234",
        "  none: disputed                   2",
        "",
        "Letters:",
        "  first_contact  EUR  1,200  5.00",
        "",
        "Customers nobody owns:",
        "  3",
        "",
        "To look at:",
        "  gate closed: control_account_ties expected 0, found 1",
        "  warn: landing.shrunk expected 0, found 1",
        "",
        "Where to look:",
        "  outbox       /srv/o2c/outbox/index.html",
        "  tables       /srv/o2c/published/o2c.duckdb",
    ]


def test_a_run_without_anything_to_say_is_a_title() -> None:
    assert summary_of(run_of()).splitlines() == [
        "# o2c 2026-03-12  run abcdef01  policy 0123456789ab",
        "",
        "Where to look:",
    ]
