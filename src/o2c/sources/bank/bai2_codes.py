"""Type codes of BAI2: which side they are on, what they move, and which give back an earlier payment.

Cash Management Balance Reporting Specifications, version 2, appendix A. Codes 900 to 999 are each bank's own.
"""

from o2c.sources.bank.model import Method
from o2c.sources.bank.profiles import BankProfile

_BY_METHOD: dict[Method, str] = {
    "check": "115 116 175 255 474 475 555",
    "ach": "142 145 163 164 165 166 168 169 257 258 451 455 464 466 468 469 557 558",
    "wire": "191 195 196 208 491 495 496 508",
}
METHODS: dict[str, Method] = {code: method for method, codes in _BY_METHOD.items() for code in codes.split()}
# Reversals, returned items and rejected ones, of credits (2xx) and debits (5xx).
RETURNS = frozenset({"252", "255", "257", "258", "261", "266", "552", "555", "557", "558", "561", "566"})


def side(code: str, profile: BankProfile) -> int | None:
    """1 for a credit, -1 for a debit, 0 for information without money; None for a code of neither.

    Loans (7xx) are credits where the borrower pays. Of the banks' own codes 930 to 959 are credits and 960 to 999
    debits; 900 to 929 are balances, or what the profile says.
    """
    if code in profile.credit_codes:
        return 1
    if code in profile.debit_codes:
        return -1
    if code == "890":
        return 0
    number = int(code)
    if 100 <= number <= 399 or 720 <= number <= 759 or 930 <= number <= 959:
        return 1
    if 400 <= number <= 699 or 760 <= number <= 799 or 960 <= number <= 999:
        return -1
    return None


def is_balance(code: str) -> bool:
    """Status codes: what stands on the account, not what moved."""
    return code <= "099" or "900" <= code <= "929"


def method_of(code: str, profile: BankProfile) -> Method | None:
    """What the bank's profile says of its code, else the standard's meaning."""
    return profile.methods.get(code) or METHODS.get(code)
