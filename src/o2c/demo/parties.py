"""Who takes part beside the customers: our entities, our collectors, the customers' contacts; and exchange rates."""

from datetime import timedelta

import polars as pl

from o2c.demo import names
from o2c.demo.books import CURRENCIES, Books

ENTITIES = pl.DataFrame(
    {
        "entity_id": ["US", "DE", "GB"],
        "entity_name": ["Demo Provisions Inc", "Demo Provisions GmbH", "Demo Provisions Ltd"],
        "country_code": ["US", "DE", "GB"],
        "currency_code": ["USD", "EUR", "GBP"],
        "time_zone": ["America/New_York", "Europe/Berlin", "Europe/London"],
        "remit_to": [
            "By bank transfer to account DEMO-US-1, quoting the invoice number, or at https://pay.example.com/us",
            "By bank transfer to account DEMO-DE-1, quoting the invoice number, or at https://pay.example.com/de",
            "By bank transfer to account DEMO-GB-1, quoting the invoice number, or at https://pay.example.com/gb",
        ],
    }
)
# Units of US dollar for one unit, at the start of the books; made up.
_START_RATES = {"USD": 1.0, "EUR": 1.08, "GBP": 1.26, "CAD": 0.73}


def collector_count(books: Books) -> int:
    """One collector for 250 customers, at least four."""
    return max(4, min(400, books.customer_count // 250))


def make_collectors(books: Books) -> pl.DataFrame:
    """Our people who call customers; one row per collector."""
    number = pl.int_range(0, collector_count(books), dtype=pl.Int64)
    identity = (number + 1).cast(pl.String).str.zfill(3)
    return pl.select(
        collector_id=pl.concat_str(pl.lit("K"), identity),
        name=names.person_name(number * 7),
        email=pl.concat_str(pl.lit("collector-"), identity, pl.lit("@example.com")),
        daily_capacity=pl.lit(40, dtype=pl.Int64),
    )


def make_contacts(books: Books, customers: pl.DataFrame) -> pl.DataFrame:
    """Whom to write to: 0.5 % of the customers have nobody, a few addresses cannot be written to.

    ``customers`` needs number, customer_id, entity_id, language_code. Every customer has a mail domain of its own.
    """
    draws, of = books.draws, "number"
    domain = pl.concat_str(pl.lit("@c"), pl.col("customer_id"), pl.lit(".example.com"))
    texts_only = draws.happens("texts only", of, 0.01)
    invalid = draws.happens("invalid address", of, 0.003)
    billing = customers.filter(~draws.happens("no contact", of, 0.005)).select(
        contact_id=pl.concat_str(pl.col("customer_id"), pl.lit("-B")),
        customer_id="customer_id",
        role=pl.lit("billing"),
        name=names.person_name(pl.col(of)),
        email=pl.when(texts_only)
        .then(None)
        .when(invalid)
        .then(pl.lit("accounts payable"))
        .otherwise(pl.concat_str(pl.lit("accounts"), domain)),
        phone=names.phone(pl.col(of), pl.col("entity_id")),
        language_code="language_code",
        sms_consent=texts_only,
    )
    others = [
        customers.filter(draws.happens(f"has {role}", of, ratio)).select(
            contact_id=pl.concat_str(pl.col("customer_id"), pl.lit(suffix)),
            customer_id="customer_id",
            role=pl.lit(role),
            name=names.person_name(pl.col(of) + 5),
            email=pl.concat_str(pl.lit(role), domain),
            phone=names.phone(pl.col(of) + 50, pl.col("entity_id")),
            language_code="language_code",
            sms_consent=pl.lit(False),
        )
        for role, suffix, ratio in (("dunning", "-D", 0.2), ("escalation", "-E", 0.06))
    ]
    return pl.concat([billing, *others])


def make_fx_rates(books: Books) -> pl.DataFrame:
    """A rate between every two currencies on the first of each month; made-up walks of a percent or so a month."""
    months, day = [], books.start.replace(day=1)
    while day <= books.horizon:
        months.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    walks = pl.DataFrame({"month": range(len(months)), "rate_date": months})
    values = {
        code: _START_RATES[code]
        * (walks.select((books.draws.normal(f"fx {code}", "month") * 0.012).cum_sum().exp()).to_series())
        if code != "USD"
        else pl.Series([1.0] * len(months))
        for code in CURRENCIES
    }
    return pl.concat(
        walks.select(
            "rate_date",
            from_currency_code=pl.lit(one),
            to_currency_code=pl.lit(other),
            rate=(values[one] / values[other]).round(6).cast(pl.Decimal(18, 8)),
            known_day=pl.col("rate_date").cast(pl.Int32),
        )
        for one in CURRENCIES
        for other in CURRENCIES
        if one != other
    )
