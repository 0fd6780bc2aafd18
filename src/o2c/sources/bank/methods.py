"""How money came, by the code of the entry."""

from o2c.sources.bank.model import Method
from o2c.sources.bank.profiles import BankProfile

# Family of the ISO 20022 bank transaction code (external code set), domain PMNT.
FAMILIES: dict[str, Method] = {
    "RCDT": "ach",
    "ICDT": "ach",
    "RDDT": "direct_debit",
    "IDDT": "direct_debit",
    "RCHQ": "check",
    "ICHQ": "check",
    "CCRD": "card",
    "MCRD": "card",
    "CNTR": "cash",
    "DRFT": "other",
    "RRCT": "ach",
    "IRCT": "ach",
}
# Sub-families that are single, urgent or cross-border transfers rather than batch clearing.
WIRES = frozenset({"XBCT", "XBSA", "XBST", "PRCT", "SDVA", "FICT", "BOOK"})


def method_of(type_code: str | None, bank_code: str | None, profile: BankProfile) -> Method | None:
    """The contract's payment method: what the bank's profile says of its code, else by the ISO family.

    None where neither is known; it is not guessed from names or texts.
    """
    for code in (bank_code, type_code):
        if code and code in profile.methods:
            return profile.methods[code]
    if not type_code or not type_code.startswith("PMNT/"):
        return None
    _, family, sub_family = type_code.split("/")
    found = FAMILIES.get(family)
    return "wire" if found == "ach" and sub_family in WIRES else found
