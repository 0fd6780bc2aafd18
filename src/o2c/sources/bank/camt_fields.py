"""From the texts of camt elements to the canonical rows. Paths are those of the newest version, then older ones."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

from o2c.money import MINOR_UNITS
from o2c.sources.bank import values
from o2c.sources.bank.camt_remittance import document_lines, structured_references
from o2c.sources.bank.camt_text import Group
from o2c.sources.bank.methods import method_of
from o2c.sources.bank.model import (
    Balance,
    Charge,
    Detail,
    Entry,
    Issue,
    StatedTotals,
    Statement,
)
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account, account_scheme, is_valid_iban, said

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
SIGNS = {"CRDT": 1, "DBIT": -1}
# Balances that open and close a statement, the better one first; those of available funds need not tie.
OPENING, CLOSING = ("OPBD", "PRCD", "OPAV"), ("CLBD", "ITBD", "CLAV")
STATUS = {"BOOK": "booked", "PDNG": "pending", "FUTR": "pending", "INFO": "information"}


def head(group: Group, message: Group, ordinal: int, form: str, kind: str, profile: BankProfile) -> Statement:
    """The statement without its entries.

    Raises:
        ValueError: no account, or a balance, total or date that cannot be read.
    """
    own = group.first("Acct/Id/IBAN", "Acct/Id/Othr/Id", "Acct/Id/PrtryAcct/Id", "Acct/Id/BBAN")
    if not own:
        raise ValueError("the statement names no account")
    balances = tuple(_balance(one) for one in group.groups.get("Bal", ()))
    opening = _chosen(balances, OPENING, last=False)
    closing = _chosen(balances, CLOSING, last=True)
    return Statement(
        ordinal=ordinal,
        position=f"statement {ordinal}",
        format=form,
        kind=kind,  # ty: ignore[invalid-argument-type]
        statement_id=group.first("Id"),
        account=account(own),
        currency_code=group.first("Acct/Ccy")
        or (opening.currency_code if opening else None)
        or profile.currency_code,
        account_scheme="iban" if group.first("Acct/Id/IBAN") else account_scheme(own),
        account_name=group.first("Acct/Nm", "Acct/Ownr/Nm"),
        bank=group.first("Acct/Svcr/FinInstnId/BICFI", "Acct/Svcr/FinInstnId/BIC", "Acct/Svcr/FinInstnId/Nm"),
        number=group.first("LglSeqNb"),
        electronic_number=group.first("ElctrncSeqNb"),
        page_number=_count(group.first("StmtPgntn/PgNb", "RptPgntn/PgNb", "NtfctnPgntn/PgNb")),
        is_last_page=_flag(group.first("StmtPgntn/LastPgInd", "RptPgntn/LastPgInd", "NtfctnPgntn/LastPgInd")),
        from_date=_day(group.first("FrToDt/FrDtTm", "FrToDt/FrDt")),
        to_date=_day(group.first("FrToDt/ToDtTm", "FrToDt/ToDt")),
        opening=opening,
        closing=closing,
        balances=balances,
        stated=_totals(group),
    )


def entry(
    group: Group,
    ordinal: int,
    position: str,
    sign: int,
    details: tuple[Detail, ...],
    profile: BankProfile,
) -> Entry:
    """One Ntry, its details already built.

    Raises:
        ValueError: no amount or currency, or a value that cannot be read.
    """
    amount, currency = _required_amount(group, "Amt")
    type_code = _type_code(group)
    proprietary = group.first("BkTxCd/Prtry/Cd")
    instructed, instructed_currency = _amount(group, "AmtDtls/InstdAmt/Amt")
    booked = sign * amount
    if len(details) == 1 and details[0].amount is None:
        # The only detail of an entry is the entry, where it says no amount of its own.
        details = (replace(details[0], amount=booked, currency_code=currency),)
    returned = next((one for one in details if one.return_code), None)
    return Entry(
        ordinal=ordinal,
        position=position,
        amount=booked,
        currency_code=currency,
        booking_date=_day(group.first("BookgDt/Dt", "BookgDt/DtTm")),
        value_date=_day(group.first("ValDt/Dt", "ValDt/DtTm")),
        status=_status(group.first("Sts/Cd", "Sts", "Sts/Prtry")),  # ty: ignore[invalid-argument-type]
        is_reversal=_flag(group.first("RvslInd")) or False,
        bank_reference=group.first("AcctSvcrRef"),
        customer_reference=said(group.first("NtryRef")),
        batch_id=group.first("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
        batch_count=_count(group.first("NtryDtls/Btch/NbOfTxs")),
        batch_amount=_amount(group, "NtryDtls/Btch/TtlAmt")[0],
        type_code=type_code,
        proprietary_code=proprietary,
        method=method_of(type_code, proprietary, profile),
        return_code=returned.return_code if returned else None,
        original_reference=returned.original_reference if returned else None,
        instructed_amount=instructed,
        instructed_currency_code=instructed_currency,
        charges=_charges(group),
        text=group.first("AddtlNtryInf"),
        details=details,
    )


def detail(group: Group, ordinal: int, position: str, entry_sign: int) -> Detail:
    """One TxDtls. Without a CdtDbtInd of its own (version 02) it has the entry's.

    Raises:
        ValueError: a value that cannot be read.
    """
    get, first = group.texts.get, group.first
    amount, currency = _amount(group, "Amt")
    if amount is None:
        amount, currency = _amount(group, "AmtDtls/TxAmt/Amt")
    indicator = get("CdtDbtInd")
    if indicator and indicator not in SIGNS:
        raise ValueError(f"detail {ordinal}: CdtDbtInd is {indicator!r}, not CRDT or DBIT")
    sign = SIGNS[indicator] if indicator else entry_sign
    instructed, instructed_currency = _amount(group, "AmtDtls/InstdAmt/Amt")
    return_code = first("RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry")
    end_to_end = said(get("Refs/EndToEndId"))
    structured = group.groups.get("Strd", [])
    return Detail(
        ordinal=ordinal,
        position=position,
        amount=None if amount is None else sign * amount,
        currency_code=currency,
        payer_name=first("RltdPties/Dbtr/Pty/Nm", "RltdPties/Dbtr/Nm"),
        payer_account=_account(group, "DbtrAcct"),
        payer_bank=_agent(group, "DbtrAgt"),
        payee_name=first("RltdPties/Cdtr/Pty/Nm", "RltdPties/Cdtr/Nm"),
        payee_account=_account(group, "CdtrAcct"),
        end_to_end_id=end_to_end,
        transaction_id=said(get("Refs/TxId")),
        instruction_id=said(get("Refs/InstrId")),
        mandate_id=get("Refs/MndtId"),
        check_number=get("Refs/ChqNb"),
        bank_reference=get("Refs/AcctSvcrRef"),
        references=structured_references(structured),
        text="\n".join(group.many["Ustrd"]) if "Ustrd" in group.many else None,
        additional_text=_additional(group, structured),
        value_date=_day(first("RltdDts/IntrBkSttlmDt", "RltdDts/AccptncDtTm")),
        ultimate_payer_name=first("RltdPties/UltmtDbtr/Pty/Nm", "RltdPties/UltmtDbtr/Nm"),
        uetr=get("Refs/UETR"),
        lines=document_lines(structured, position),
        instructed_amount=instructed,
        instructed_currency_code=instructed_currency,
        charges=_charges(group),
        type_code=_type_code(group) or get("BkTxCd/Prtry/Cd"),
        return_code=return_code,
        original_reference=(end_to_end or first("Refs/TxId", "Refs/InstrId")) if return_code else None,
    )


def head_issues(statement: Statement) -> list[Issue]:
    """What is wrong with account and balances that does not stop the reading."""
    found = []
    if statement.account and statement.account_scheme == "iban" and not is_valid_iban(statement.account):
        found.append(
            Issue(
                statement.position,
                "account_check_failed",
                f"check digits of the account {statement.account} are wrong",
                "warning",
                statement_ordinal=statement.ordinal,
            )
        )
    for balance in (statement.opening, statement.closing):
        if balance and statement.currency_code and balance.currency_code != statement.currency_code:
            found.append(
                Issue(
                    statement.position,
                    "currency_differs",
                    f"balance {balance.code} in {balance.currency_code}"
                    f" on an account in {statement.currency_code}",
                    statement_ordinal=statement.ordinal,
                )
            )
    return found


def entry_issues(statement: Statement, entry: Entry) -> list[Issue]:
    """What is wrong with the values of an entry that does not stop the reading."""
    found = []
    digits = MINOR_UNITS.get(entry.currency_code)
    if digits is None:
        found.append(("currency_unknown", f"{entry.currency_code} is not in ISO 4217", "exception"))
    elif entry.amount != entry.amount.quantize(Decimal(1).scaleb(-digits)):
        message = f"{entry.amount} {entry.currency_code}: {digits} decimals at most"
        found.append(("too_many_decimals", message, "exception"))
    for one in entry.details:
        found.extend(
            ("reference_check_failed", f"{reference.text!r} has wrong check digits", "warning")
            for reference in one.references
            if reference.is_valid is False
        )
    return [
        Issue(entry.position, code, message, severity, statement.ordinal, entry.ordinal)  # ty: ignore[invalid-argument-type]
        for code, message, severity in found
    ]


def _balance(group: Group) -> Balance:
    amount, currency = _required_amount(group, "Amt")
    indicator = group.first("CdtDbtInd")
    if indicator and indicator not in SIGNS:
        raise ValueError(f"a balance has CdtDbtInd {indicator!r}, not CRDT or DBIT")
    # Some banks leave the indicator out of balances that are in credit.
    return Balance(
        code=group.first("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd") or "",
        amount=amount * (SIGNS[indicator] if indicator else 1),
        currency_code=currency,
        balance_date=_day(group.first("Dt/Dt", "Dt/DtTm")),
    )


def _chosen(balances: tuple[Balance, ...], codes: tuple[str, ...], *, last: bool) -> Balance | None:
    """Opening is the first of its code, closing the last: a statement may list several days."""
    for code in codes:
        if found := [one for one in balances if one.code == code]:
            return found[-1 if last else 0]
    return None


def _totals(group: Group) -> StatedTotals:
    path = "TxsSummry/"
    net = _number(group.first(f"{path}TtlNtries/TtlNetNtry/Amt", f"{path}TtlNtries/TtlNetNtryAmt"))
    sign = SIGNS.get(group.first(f"{path}TtlNtries/TtlNetNtry/CdtDbtInd", f"{path}TtlNtries/CdtDbtInd") or "")
    return StatedTotals(
        entry_count=_count(group.first(f"{path}TtlNtries/NbOfNtries")),
        gross_amount=_number(group.first(f"{path}TtlNtries/Sum")),
        net_amount=net * sign if net is not None and sign else None,
        credit_count=_count(group.first(f"{path}TtlCdtNtries/NbOfNtries")),
        credit_amount=_number(group.first(f"{path}TtlCdtNtries/Sum")),
        debit_count=_count(group.first(f"{path}TtlDbtNtries/NbOfNtries")),
        debit_amount=_number(group.first(f"{path}TtlDbtNtries/Sum")),
    )


def _charges(group: Group) -> tuple[Charge, ...]:
    """Version 04 and later list records; version 02 has one amount per Chrgs."""
    found = []
    for outer in group.groups.get("Chrgs", ()):
        for record in outer.groups.get("Rcrd") or [outer]:
            amount, currency = _amount(record, "Amt")
            if amount is not None:
                sign = -1 if record.first("CdtDbtInd") == "CRDT" else 1
                kind = record.first("Tp/Cd", "Tp/Prtry/Id", "Tp/Prtry")
                found.append(Charge(sign * amount, currency, _flag(record.first("ChrgInclInd")), kind))
    return tuple(found)


def _type_code(group: Group) -> str | None:
    parts = (
        group.first("BkTxCd/Domn/Cd"),
        group.first("BkTxCd/Domn/Fmly/Cd"),
        group.first("BkTxCd/Domn/Fmly/SubFmlyCd"),
    )
    return "/".join(part or "" for part in parts) if any(parts) else None


def _account(group: Group, which: str) -> str | None:
    get, path = group.texts.get, f"RltdPties/{which}/Id/"
    found = get(path + "IBAN") or get(path + "Othr/Id") or get(path + "PrtryAcct/Id") or get(path + "BBAN")
    return account(found) if found else None


def _agent(group: Group, which: str) -> str | None:
    get, path = group.texts.get, f"RltdAgts/{which}/FinInstnId/"
    return (
        get(path + "BICFI")
        or get(path + "BIC")
        or group.first(path + "ClrSysMmbId/MmbId", path + "Othr/Id", path + "Nm")
    )


def _additional(group: Group, structured: list[Group]) -> str | None:
    texts = [text for one in structured for text in one.many.get("AddtlRmtInf", ())]
    texts += [text for text in (group.first("AddtlTxInf"), group.first("RtrInf/AddtlInf")) if text]
    return "\n".join(texts) or None


def _status(text: str | None) -> str:
    """Banks that book without saying so leave the status out."""
    if text and text not in STATUS:
        raise ValueError(f"status {text[:35]!r} is not BOOK, PDNG, FUTR or INFO")
    return STATUS[text or "BOOK"]


def _amount(group: Group, path: str) -> tuple[Decimal | None, str | None]:
    text = group.texts.get(path)
    if not text:
        return None, None
    return _number(text), group.currencies.get(path)


def _required_amount(group: Group, path: str) -> tuple[Decimal, str]:
    amount, currency = _amount(group, path)
    if amount is None:
        raise ValueError(f"no {path}")
    if not currency or not _CURRENCY.fullmatch(currency):
        raise ValueError(f"{path} has the currency {(currency or '')[:10]!r}")
    return amount, currency


def _number(text: str | None) -> Decimal | None:
    """An amount without a sign: the indicator has it, so a minus here would turn it twice."""
    if not text:
        return None
    found = values.amount(text)
    if found.is_signed() and found:
        raise ValueError(f"amount {text[:40]} is negative beside its CdtDbtInd")
    return found


def _count(text: str | None) -> int | None:
    return values.count(text) if text else None


def _flag(text: str | None) -> bool | None:
    if not text:
        return None
    if text not in {"true", "false", "1", "0"}:
        raise ValueError(f"{text[:35]!r} is not true or false")
    return text in {"true", "1"}


def _day(text: str | None) -> date | None:
    return values.iso_day(text) if text else None
