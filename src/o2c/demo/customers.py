"""The customers and their habits: how much they buy, on which terms, how late and in what way they pay."""

import math

import polars as pl

from o2c.demo import names
from o2c.demo.books import Books
from o2c.demo.draws import look_up
from o2c.demo.parties import ENTITIES, collector_count

# Rank-size rule of PROFILE §7.1: 9 % of the customers hold 80 % of the amount.
ZIPF_EXPONENT = 0.99
_TERMS = {
    # PROFILE §2, US food manufacturer.
    "US": {"15": 79.9, "10": 9.1, "65": 2.7, "23": 2.6, "20": 1.1, "30": 1.9, "35": 0.9, "32": 0.8, "0": 0.7},
    # PROFILE §7.3, European ledgers; EOM is the end of the next month.
    "DE": {"30": 45, "14": 20, "60": 12, "45": 8, "90": 3, "EOM": 12},
    "GB": {"30": 50, "14": 10, "60": 10, "45": 8, "7": 5, "EOM": 17},
}


def make_customers(books: Books) -> pl.DataFrame:
    """Customers with the habits that their documents and payments follow; one row per customer, largest first.

    ``number`` is the place in the ranking, ``amount_mu`` and ``amount_sigma`` are those of log amounts in the
    currency, ``level`` and ``noise`` are days late, ``stopped_day`` is when an insolvent one ceased to pay.
    """
    draws, n, of = books.draws, books.customer_count, "number"
    large = max(3, n * 8 // 100)
    customers = (
        pl.select(number=pl.int_range(0, n, dtype=pl.Int64))
        .with_columns(
            customer_id=((pl.col(of) * _scatter(n)) % n + 100_001).cast(pl.String).str.zfill(10),
            weight=(pl.col(of) + 1).cast(pl.Float64) ** -ZIPF_EXPONENT,
            entity_id=pl.when(pl.col(of) == 0)
            .then(pl.lit("US"))
            .otherwise(draws.pick("entity", of, {"US": 60, "DE": 25, "GB": 15})),
            amount_mu=9.78 + 0.96 * draws.normal("mean amount", of),
            amount_sigma=(math.log(1.1) + 0.35 * draws.normal("amount spread", of)).exp().clip(0.45, 1.73),
            habit=pl.when(pl.col(of) < large)
            .then(pl.lit("large"))
            .otherwise(draws.pick("habit", of, {"small": 84, "slow": 16})),
            dispute_rate=draws.beta("dispute rate", of, 0.33, 1.13),
            customer_type=pl.when(pl.col(of) < large)
            .then(pl.lit("business"))
            .otherwise(
                draws.pick("type", of, {"business": 93, "public": 4, "consumer": 2, "intercompany": 1})
            ),
            fate=pl.when(pl.col(of) < large)
            .then(pl.lit("active"))
            .otherwise(
                draws.pick(
                    "fate",
                    of,
                    {"active": 97.5, "insolvent": 0.6, "legal": 0.4, "do_not_contact": 0.4, "closed": 1.1},
                )
            ),
            delivery_channel=draws.pick(
                "delivery", of, {"e_invoice": 30, "email": 45, "portal": 10, "post": 15}
            ),
        )
        .with_columns(country_code=_country(books))
        .with_columns(
            customer_name=names.company_name(pl.col(of), pl.col("entity_id")),
            currency_code=pl.when(pl.col("country_code") == "CA")
            .then(pl.lit("CAD"))
            .otherwise(_entity_currency()),
            language_code=pl.col("country_code").replace_strict(
                {"DE": "de", "AT": "de", "FR": "fr", "NL": "nl"}, default="en"
            ),
            stopped_day=pl.when(pl.col("fate") != "active").then(
                books.last_day - draws.whole("stop", of, 20, 200)
            ),
            terms=_terms(books, "terms"),
            other_terms=_terms(books, "other terms"),
            has_other_terms=draws.happens("has other terms", of, 0.21),
            has_discount=draws.happens("has discount", of, 0.12),
            takes_discount=draws.happens("takes discount", of, 0.5),
            pays_in_runs=draws.happens(
                "runs", of, pl.when(pl.col("habit") == "large").then(1.0).otherwise(0.1)
            ),
            payment_method=pl.when(pl.col("entity_id") == "US")
            .then(draws.pick("us method", of, {"check": 45, "ach": 40, "wire": 15}))
            .otherwise(draws.pick("other method", of, {"wire": 80, "direct_debit": 20})),
            run_weekday=draws.whole("run weekday", of, 0, 4),
            pays_twice_a_month=draws.happens("twice a month", of, 0.35),
        )
        .with_columns(_level(books), _noise())
        .with_columns(_credit_limit(books))
    )
    return customers.with_columns(_master_data(books, large))


def _country(books: Books) -> pl.Expr:
    draws = books.draws
    return (
        pl.when(pl.col("entity_id") == "US")
        .then(draws.pick("us country", "number", {"US": 92.2, "CA": 7.8}))
        .when(pl.col("entity_id") == "DE")
        .then(draws.pick("de country", "number", {"DE": 75, "AT": 9, "NL": 8, "FR": 8}))
        .otherwise(draws.pick("gb country", "number", {"GB": 90, "IE": 10}))
    )


def _entity_currency() -> pl.Expr:
    return pl.col("entity_id").replace_strict(dict(ENTITIES.select("entity_id", "currency_code").iter_rows()))


def _terms(books: Books, name: str) -> pl.Expr:
    chosen = pl.when(pl.col("entity_id") == "US").then(books.draws.pick(name, "number", _TERMS["US"]))
    for entity in ("DE", "GB"):
        chosen = chosen.when(pl.col("entity_id") == entity).then(
            books.draws.pick(name, "number", _TERMS[entity])
        )
    return chosen.otherwise(pl.lit("30"))


def _level(books: Books) -> pl.Expr:
    """Days late that a customer tends to (PROFILE §7.4)."""
    draws = books.draws
    slow = draws.skew_normal("slow level", "number", shape=2.31, location=-10.8, scale=39.9)
    return (
        pl.when(pl.col("habit") == "large")
        .then(3.0 * draws.student_t3("large level", "number"))
        .when(pl.col("habit") == "slow")
        .then(slow)
        .otherwise(10.0 * draws.normal("small level", "number"))
        .clip(-30.0, 120.0)
        .alias("level")
    )


def _noise() -> pl.Expr:
    return pl.col("habit").replace_strict({"large": 5.0, "small": 8.0, "slow": 19.0}).alias("noise")


def _credit_limit(books: Books) -> pl.Expr:
    """About 60 days of sales, with room or without, in thousands; whole cents, null where nobody set one."""
    draws, days = books.draws, books.last_day - books.first_day + 1
    total = float(sum(rank**-ZIPF_EXPONENT for rank in range(1, books.customer_count + 1)))
    sales = pl.col("weight") / total * books.invoices * (pl.col("amount_mu") + 0.5).exp() * 60 / days
    room = 0.7 + 2.5 * draws.uniform("limit room", "number")
    limit = ((sales * room).clip(2_000, 20_000_000) / 1_000).ceil().cast(pl.Int64) * 100_000
    return pl.when(~draws.happens("no limit", "number", 0.08)).then(limit).alias("credit_limit_amount")


def _master_data(books: Books, large: int) -> list[pl.Expr]:
    """The rest of the customer record, which no habit depends on."""
    draws, of = books.draws, "number"
    collectors = collector_count(books)
    has_limit = pl.col("credit_limit_amount").is_not_null()
    return [
        pl.when((pl.col(of) >= large) & draws.happens("has parent", of, 0.05))
        .then(look_up(_first_ids(books, large), draws.whole("parent", of, 0, large - 1).cast(pl.Int64)))
        .alias("parent_customer_id"),
        pl.when(pl.col("terms") != "EOM")
        .then(pl.col("terms").cast(pl.Int64, strict=False))
        .alias("payment_terms_days"),
        pl.when(has_limit).then(_entity_currency()).alias("credit_limit_currency_code"),
        pl.when(has_limit)
        .then(books.last_day + draws.whole("limit end", of, -40, 500))
        .alias("credit_limit_valid_until"),
        pl.when(~draws.happens("unowned", of, 0.04))
        .then(pl.concat_str(pl.lit("K"), (pl.col(of) % collectors + 1).cast(pl.String).str.zfill(3)))
        .alias("collector_id"),
        pl.concat_str(pl.lit("sales-"), pl.col("entity_id").str.to_lowercase(), pl.lit("@example.com")).alias(
            "account_owner_email"
        ),
        pl.when(pl.col(of) < max(1, large // 4)).then(pl.lit("strategic")).alias("customer_group"),
        (books.first_day - draws.whole("created", of, 30, 3000)).alias("created_date"),
        # One customer in a hundred is billed but missing from the master file (PROFILE §7.7).
        ((pl.col(of) >= large) & draws.happens("unknown", of, 0.01)).alias("is_unknown"),
    ]


def _first_ids(books: Books, count: int) -> list[str]:
    n = books.customer_count
    return [f"{number * _scatter(n) % n + 100_001:010d}" for number in range(count)]


def _scatter(n: int) -> int:
    """A step that visits all of n numbers, so that an id does not tell a customer's rank."""
    return next(step for step in (7919, 7927, 7933, 7937) if math.gcd(step, n) == 1)
