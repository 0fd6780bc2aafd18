"""From the texts of camt elements to the canonical rows. Paths are those of the newest version, then older ones."""

from dataclasses import replace

from o2c.sources.bank.camt_remittance import document_lines, structured_references
from o2c.sources.bank.camt_text import Group
from o2c.sources.bank.camt_values import amount_at, count, day, flag, number, required_amount
from o2c.sources.bank.methods import method_of
from o2c.sources.bank.model import (
    Balance,
    Charge,
    Detail,
    Entry,
    StatedTotals,
    Statement,
)
from o2c.sources.bank.profiles import BankProfile
from o2c.sources.bank.references import account, account_scheme, said

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
        page_number=count(group.first("StmtPgntn/PgNb", "RptPgntn/PgNb", "NtfctnPgntn/PgNb")),
        is_last_page=flag(group.first("StmtPgntn/LastPgInd", "RptPgntn/LastPgInd", "NtfctnPgntn/LastPgInd")),
        from_date=day(group.first("FrToDt/FrDtTm", "FrToDt/FrDt")),
        to_date=day(group.first("FrToDt/ToDtTm", "FrToDt/ToDt")),
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
    amount, currency = required_amount(group, "Amt")
    type_code = _type_code(group)
    proprietary = group.first("BkTxCd/Prtry/Cd")
    instructed, instructed_currency = amount_at(group, "AmtDtls/InstdAmt/Amt")
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
        booking_date=day(group.first("BookgDt/Dt", "BookgDt/DtTm")),
        value_date=day(group.first("ValDt/Dt", "ValDt/DtTm")),
        status=_status(group.first("Sts/Cd", "Sts", "Sts/Prtry")),  # ty: ignore[invalid-argument-type]
        is_reversal=flag(group.first("RvslInd")) or False,
        bank_reference=group.first("AcctSvcrRef"),
        customer_reference=said(group.first("NtryRef")),
        batch_id=group.first("NtryDtls/Btch/PmtInfId", "NtryDtls/Btch/MsgId"),
        batch_count=count(group.first("NtryDtls/Btch/NbOfTxs")),
        batch_amount=amount_at(group, "NtryDtls/Btch/TtlAmt")[0],
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
    amount, currency = amount_at(group, "Amt")
    if amount is None:
        amount, currency = amount_at(group, "AmtDtls/TxAmt/Amt")
    indicator = get("CdtDbtInd")
    if indicator and indicator not in SIGNS:
        raise ValueError(f"detail {ordinal}: CdtDbtInd is {indicator!r}, not CRDT or DBIT")
    sign = SIGNS[indicator] if indicator else entry_sign
    instructed, instructed_currency = amount_at(group, "AmtDtls/InstdAmt/Amt")
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
        value_date=day(first("RltdDts/IntrBkSttlmDt", "RltdDts/AccptncDtTm")),
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


def _balance(group: Group) -> Balance:
    amount, currency = required_amount(group, "Amt")
    indicator = group.first("CdtDbtInd")
    if indicator and indicator not in SIGNS:
        raise ValueError(f"a balance has CdtDbtInd {indicator!r}, not CRDT or DBIT")
    # Some banks leave the indicator out of balances that are in credit.
    return Balance(
        code=group.first("Tp/CdOrPrtry/Cd", "Tp/CdOrPrtry/Prtry", "Tp/Cd") or "",
        amount=amount * (SIGNS[indicator] if indicator else 1),
        currency_code=currency,
        balance_date=day(group.first("Dt/Dt", "Dt/DtTm")),
    )


def _chosen(balances: tuple[Balance, ...], codes: tuple[str, ...], *, last: bool) -> Balance | None:
    """Opening is the first of its code, closing the last: a statement may list several days."""
    for code in codes:
        if found := [one for one in balances if one.code == code]:
            return found[-1 if last else 0]
    return None


def _totals(group: Group) -> StatedTotals:
    path = "TxsSummry/"
    net = number(group.first(f"{path}TtlNtries/TtlNetNtry/Amt", f"{path}TtlNtries/TtlNetNtryAmt"))
    sign = SIGNS.get(group.first(f"{path}TtlNtries/TtlNetNtry/CdtDbtInd", f"{path}TtlNtries/CdtDbtInd") or "")
    return StatedTotals(
        entry_count=count(group.first(f"{path}TtlNtries/NbOfNtries")),
        gross_amount=number(group.first(f"{path}TtlNtries/Sum")),
        net_amount=net * sign if net is not None and sign else None,
        credit_count=count(group.first(f"{path}TtlCdtNtries/NbOfNtries")),
        credit_amount=number(group.first(f"{path}TtlCdtNtries/Sum")),
        debit_count=count(group.first(f"{path}TtlDbtNtries/NbOfNtries")),
        debit_amount=number(group.first(f"{path}TtlDbtNtries/Sum")),
    )


def _charges(group: Group) -> tuple[Charge, ...]:
    """Version 04 and later list records; version 02 has one amount per Chrgs."""
    found = []
    for outer in group.groups.get("Chrgs", ()):
        for record in outer.groups.get("Rcrd") or [outer]:
            amount, currency = amount_at(record, "Amt")
            if amount is not None:
                sign = -1 if record.first("CdtDbtInd") == "CRDT" else 1
                kind = record.first("Tp/Cd", "Tp/Prtry/Id", "Tp/Prtry")
                found.append(Charge(sign * amount, currency, flag(record.first("ChrgInclInd")), kind))
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
