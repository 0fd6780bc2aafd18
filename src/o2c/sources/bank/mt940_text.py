"""The text of an entry (:86:) in the three ways that banks write it: numbered, with code words, or plain.

Numbered is the way of German, Austrian and Polish banks: ``166?00posting?20EREF+...?32name``. Code words are the way of
Dutch and international banks: ``/EREF/.../NAME/.../REMI/...``. Both break lines where they are full, also in a word.
"""

import re
from dataclasses import dataclass

from o2c.sources.bank.references import said

_NUMBERED = re.compile(r"\s*([0-9]{3})?([?<>^~|#*%$])(?=00|10|20|21|30|31|32|34)", re.ASCII)
_PARTS = {mark: re.compile(rf"{re.escape(mark)}([0-9]{{2}})") for mark in "?<>^~|#*%$"}
# Key words of SEPA in the numbered way; what follows SVWZ is the payer's own text, MTLG is the bank's.
_KEYS = "EREF KREF MREF CRED DEBT COAM OAMT ABWA ABWE IBAN BREF RREF SVWZ BIC"
_KEY = re.compile(rf"({_KEYS.replace(' ', '|')})\+|(MTLG):")
_WORDS = (
    "EREF KREF PREF IREF CREF MREF MARF CSID CRED NAME IBAN BIC REMI CNTP BENM ORDP ULTD ULTC ULTB TRTP TRCD ISDT"
    " RTRN NRTX PURP ADDR ID SVCL OCMT CHGS CHG1 CHG2 EXCH ACCW BUSP SUBJ"
)
_WORD = re.compile(rf"/({_WORDS.replace(' ', '|')})/")


@dataclass(slots=True)
class EntryText:
    """What an :86: says. ``name``, ``account`` and ``bank`` are those of the other side: payer of a credit."""

    code: str | None = None
    posting: str | None = None
    name: str | None = None
    account: str | None = None
    bank: str | None = None
    ultimate: str | None = None
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    instruction_id: str | None = None
    batch_id: str | None = None
    batch_count: int | None = None
    creditor_references: tuple[str, ...] = ()
    return_code: str | None = None
    is_returned: bool = False
    message: str | None = None
    text: str | None = None


def entry_text(text: str) -> EntryText:
    """What an :86: says, its lines parted by line feeds. Never fails: what fits no form is plain text."""
    if found := _NUMBERED.match(text):
        return _numbered(text, found)
    joined = text.replace("\n", "")
    if _WORD.match(joined):
        return _worded(joined)
    return EntryText(text="\n".join(line.strip() for line in text.split("\n") if line.strip()) or None)


def _numbered(text: str, start: re.Match[str]) -> EntryText:
    parts = _PARTS[start[2]].split(text.replace("\n", ""))
    fields: dict[str, str] = {}
    for number, content in zip(parts[1::2], parts[2::2], strict=True):
        fields.setdefault(number, content)
    purposes = [fields[key] for key in sorted(fields) if "20" <= key <= "29" or "60" <= key <= "63"]
    keys, plain = _purposes(purposes)
    get = fields.get
    name = f"{get('32', '')}{get('33', '')}"
    return EntryText(
        code=start[1],
        posting=said(get("00")),
        name=said(" ".join(name.split())),
        account=said(get("31")) or said(get("38")) or said(keys.get("IBAN")),
        bank=said(get("30")) or said(keys.get("BIC")),
        ultimate=said(keys.get("ABWA")),
        end_to_end_id=said(keys.get("EREF")),
        mandate_id=said(keys.get("MREF")),
        instruction_id=said(keys.get("KREF")),
        return_code=said(get("34")),
        message=said(keys.get("MTLG")),
        text=plain,
    )


def _purposes(purposes: list[str]) -> tuple[dict[str, str], str | None]:
    """Key words with what follows them, and the payer's text: behind SVWZ without breaks, else line by line.

    A key word counts at the start of a subfield, and anywhere before the payer's text begins: within it, it is text.
    """
    keys: dict[str, str] = {}
    plain: list[str] = []
    current: str | None = None
    for content in purposes:
        at = 0
        if (found := _KEY.match(content)) or (
            current not in (None, "SVWZ") and (found := _KEY.search(content))
        ):
            if current:
                keys[current] += content[: found.start()]
            while found:
                current = found[1] or found[2]
                at = found.end()
                following = _KEY.search(content, at) if current != "SVWZ" else None
                until = following.start() if following else len(content)
                keys[current] = keys.get(current, "") + content[at:until]
                found = following
        elif current:
            keys[current] += content
        elif content.strip():
            plain.append(content.strip())
    return keys, said("\n".join([*plain, keys.get("SVWZ", "").strip()]))


def _worded(joined: str) -> EntryText:
    parts = _WORD.split(joined)
    fields: dict[str, str] = {}
    for word, content in zip(parts[1::2], parts[2::2], strict=True):
        fields.setdefault(word, content)
    texts = {word: content.strip("/ ") for word, content in fields.items()}
    get = texts.get
    party = fields.get("CNTP", "").split("/")
    text, references = _remittance(texts.get("REMI", ""))
    count = get("NRTX", "")
    return EntryText(
        posting=said(get("TRTP")) or said(get("TRCD")),
        name=said(get("NAME")) or said(party[2] if len(party) > 2 else None),
        account=said(get("IBAN")) or said(party[0]),
        bank=said(get("BIC")) or said(party[1] if len(party) > 1 else None),
        ultimate=said(get("ULTD")) or said(get("ULTB")),
        end_to_end_id=said(get("EREF")),
        mandate_id=said(get("MARF")) or said(get("MREF")),
        instruction_id=said(get("KREF")) or said(get("IREF")),
        batch_id=said(get("PREF")),
        batch_count=int(count) if count.isascii() and count.isdecimal() and len(count) < 10 else None,
        creditor_references=references,
        return_code=said(get("RTRN")),
        is_returned="RTRN" in fields,
        text=text,
    )


def _remittance(remitted: str) -> tuple[str | None, tuple[str, ...]]:
    """Unstructured text (USTD//text, or no word before it) or a creditor reference (STRD/CUR/reference)."""
    if remitted.startswith("STRD/"):
        _, _, reference = remitted.rpartition("/")
        return None, (reference.strip(),) if reference.strip() else ()
    return said(remitted.removeprefix("USTD").lstrip("/")), ()
