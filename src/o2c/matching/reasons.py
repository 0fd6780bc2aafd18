"""What a customer's reason code means with us."""

import polars as pl

from o2c.policy import ReasonCodesPolicy
from o2c.policy.matching import CODE_LISTS, DEFAULT_LISTS, plain_code

OWN_LIST = "customer"


def our_reason(customer_id: str, code: str | None, policy: ReasonCodesPolicy) -> tuple[str, str | None]:
    """Our reason for a customer's code, and the list that says so.

    The customer's own list comes first, then those that are shipped. A code may say its list (``edifact_4465:11``);
    else it is looked up in the customer's ``lists``, or in X12 426 and ISO 20022, and in no other, because one number
    means other things in other lists. The customer's own list knows a code with or without the name of its list.
    Blanks around a code and capitals make no difference.

    Returns:
        The reason and ``customer``, ``x12_426``, ``iso_20022`` or ``edifact_4465``. Without a code the reason is the
        policy's ``unexplained``, with one that no list has its ``unmapped``; then there is no list.
    """
    said = plain_code(code or "")
    if not said:
        return policy.unexplained, None
    named, _, rest = said.partition(":")
    list_name = named.strip().lower()
    says_its_list = list_name in CODE_LISTS
    plain = rest.strip() if says_its_list else said
    own = {plain_code(known): ours for known, ours in policy.customers.get(customer_id, {}).items()}
    for known in (said, plain):
        if known in own:
            return own[known], OWN_LIST
    names = (list_name,) if says_its_list else policy.lists.get(customer_id, DEFAULT_LISTS)
    for name in names:
        for known, ours in getattr(policy, name).items():
            if plain_code(known) == plain:
                return ours, name
    return policy.unmapped, None


def our_reasons(codes: pl.DataFrame, policy: ReasonCodesPolicy) -> pl.DataFrame:
    """``our_reason`` of many rows: each customer and code is looked up once.

    Args:
        codes: customer_id, customer_reason_code, and whatever else.
        policy: the lists.

    Returns:
        The same rows with ``reason_code`` (ours) and ``list_name``.
    """
    pairs = codes.select("customer_id", "customer_reason_code").unique()
    found = pl.DataFrame(
        [(*pair, *our_reason(*pair, policy)) for pair in pairs.iter_rows()],
        schema=dict.fromkeys(("customer_id", "customer_reason_code", "reason_code", "list_name"), pl.String),
        orient="row",
    )
    return codes.join(
        found,
        on=["customer_id", "customer_reason_code"],
        how="left",
        validate="m:1",
        nulls_equal=True,
        maintain_order="left",
    )
