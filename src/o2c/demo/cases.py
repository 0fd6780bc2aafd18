"""Cases that every demo ledger contains, whatever the seed: one customer each, with one thing special about it.

Days count from the end of the books, the first morning: ``due=-120`` fell due 120 days before it. Amounts are cents.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Debt:
    """One invoice: due on that day (relative to the end), of that amount; paid on ``paid`` where it is set."""

    due: int
    amount: int
    paid: int | None = None
    terms: int = 30


@dataclass(frozen=True)
class Case:
    """One planted customer. ``letters`` are the days of dunning levels 1, 2, 3 before us.

    ``disputed`` is the disputed amount of the first debt; a promise or a plan is about the first debt as well. What
    protects one debt leaves the others to be dunned, so that a refused referral fails for that one reason.
    """

    name: str
    debts: tuple[Debt, ...]
    letters: tuple[int, ...] = ()
    entity: str = "US"
    country: str = "US"
    customer_type: str = "business"
    status: str = "active"
    block: str | None = None
    disputed: int | None = None
    promised_on: int | None = None
    plan_agreed: int | None = None
    suspense: int | None = None
    limit: int | None = 5_000_000
    open_order: int | None = None
    held_order: bool = False
    other_entity_debt: Debt | None = None


# All three letters, the final notice more than 14 days before the first morning.
_ALL = (-101, -93, -85)


def _old(amount: int, due: int = -104) -> tuple[Debt, ...]:
    return (Debt(due, amount),)


REFERABLE = (
    Case("Referable One", _old(482_017), _ALL),
    Case("Referable Two", (Debt(-131, 96_533), Debt(-104, 271_409)), (-128, -120, -112)),
    Case("Referable Three", _old(1_250_061, -168), (-165, -157, -149)),
    Case("Referable Four", _old(733_925, -99), (-96, -88, -80)),
    Case("Referable Five", _old(158_243), _ALL, entity="DE", country="DE"),
    Case("Referable Six", _old(219_871), _ALL, entity="GB", country="GB"),
    Case("Referable Small", _old(3_117, -205), (-202, -194, -186)),
)
NOT_REFERABLE = (
    Case("Refused Disputed", _old(412_339), _ALL, disputed=164_900),
    Case("Refused Promised", (*_old(365_127), Debt(-20, 41_083)), _ALL, promised_on=16),
    Case("Refused Recent Payer", (*_old(298_441), Debt(-20, 87_653, paid=-13)), _ALL),
    Case("Refused Insolvent", _old(877_219), _ALL, block="insolvency"),
    Case("Refused By Hand", _old(131_477), _ALL, block="manual"),
    Case("Refused No Final Notice", _old(254_903), _ALL[:2]),
    # Eligible a week or two later: the referral appears while the mornings go by.
    Case("Refused Young Final Notice", _old(346_181), (-40, -22, -6)),
    Case("Refused Too Small", _old(3_849), _ALL),
    Case("Refused Planned", (*_old(645_271), Debt(-20, 52_091)), _ALL, plan_agreed=-9),
    Case("Refused Consumer", _old(59_363), _ALL, customer_type="consumer"),
    Case("Refused Abroad", _old(504_857), _ALL, country="MX"),
    Case("Refused Suspense", _old(187_591), _ALL, suspense=187_591),
)
# What the first morning finds at each rung of the ladder, and what is on its way to the first.
RUNGS = (
    *(Case(f"Rung Courtesy {n}", (Debt(due, 412_000 + n * 1_003),)) for n, due in enumerate((3, 7, 10), 1)),
    *(Case(f"Rung First {n}", (Debt(-n, 231_000 + n * 1_007),)) for n in (1, 2, 3)),
    *(Case(f"Rung Second {n}", (Debt(-8 - n, 187_000 + n * 1_009),), (-7,)) for n in (1, 2, 3)),
    *(Case(f"Rung Third {n}", (Debt(-16 - n, 95_000 + n * 1_013),), (-15, -7)) for n in (1, 2, 3)),
    *(Case(f"Rung Review {n}", (Debt(-30 - n, 143_000 + n * 1_019),), (-29, -21, -13)) for n in (1, 2, 3)),
    Case("Rung Two Entities", (Debt(-5, 77_041),), other_entity_debt=Debt(-12, 81_059)),
    Case("Rung Do Not Contact", (Debt(-15, 66_067),), status="do_not_contact"),
    Case("Rung Below Minimum", (Debt(-15, 1_971),)),
    Case("Rung Promised", (Debt(-15, 88_069),), (-13,), promised_on=5),
    Case("Rung Disputed", (Debt(-15, 55_073),), disputed=55_073),
)
CREDIT = (
    *(
        Case(
            f"Over Limit {n}",
            (Debt(-40, 1_800_000 + n * 1_021), Debt(12, 950_000)),
            (-36, -28),
            limit=1_000_000,
            open_order=640_000,
        )
        for n in (1, 2, 3)
    ),
    Case(
        "Cured",
        (Debt(20, 120_077), Debt(-60, 990_079, paid=-13)),
        limit=2_000_000,
        open_order=210_000,
        held_order=True,
    ),
)
SUSPENSE = (
    Case("Suspense Exact", (Debt(-12, 143_081),), (-5,), suspense=143_081),
    Case("Suspense Part", (Debt(-9, 260_083),), suspense=130_000),
    Case("Suspense Rest", (Debt(-25, 318_089),), (-22, -14), suspense=318_089),
)
ALL_CASES = (*REFERABLE, *NOT_REFERABLE, *RUNGS, *CREDIT, *SUSPENSE)
