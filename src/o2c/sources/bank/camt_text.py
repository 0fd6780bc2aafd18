"""One element of a camt message as texts by path, so that each field is a look-up and not a search."""

from typing import Any

# Elements that may come several times, each with its own content.
_GROUPS = frozenset({"Strd", "Rcrd", "RfrdDocInf", "AdjstmntAmtAndRsn", "DscntApldAmt", "Bal", "Chrgs"})
# Elements of no use to us that can be long.
_UNUSED = frozenset({"PstlAdr", "CtctDtls", "SplmtryData", "Tax", "Invcr", "Invcee", "RltdPric", "RltdQties"})
_MANY = frozenset({"Ustrd", "AddtlRmtInf"})


class Group:
    """Texts of an element by path below it (``AmtDtls/TxAmt/Amt``), the first of each, and its repeated parts."""

    __slots__ = ("currencies", "groups", "many", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.currencies: dict[str, str] = {}
        self.groups: dict[str, list[Group]] = {}
        self.many: dict[str, list[str]] = {}

    def first(self, *paths: str) -> str | None:
        """The text of the first of these paths that has one."""
        for path in paths:
            if text := self.texts.get(path):
                return text
        return None


def flatten(element: Any, cut: int, skip: str = "") -> Group:
    """The element's texts by path. ``cut`` is the length of the namespace part of every tag."""
    group = Group()
    _fill(group, element, cut, "", skip)
    return group


def _fill(group: Group, element: Any, cut: int, path: str, skip: str) -> None:
    texts = group.texts
    for child in element:
        local = child.tag[cut:]
        if len(child):
            if local in _GROUPS:
                _fill(_new(group, local), child, cut, "", skip)
            elif local not in _UNUSED and local != skip:
                _fill(group, child, cut, f"{path}{local}/", skip)
        elif (text := child.text) and (text := text.strip()):
            name = path + local
            if local in _GROUPS:
                inner = _new(group, local)
                inner.texts[""] = text
            elif local in _MANY:
                group.many.setdefault(local, []).append(text)
            elif name not in texts:
                texts[name] = text
                if local[-3:] == "Amt" and (currency := child.get("Ccy")):
                    group.currencies[name] = currency


def _new(group: Group, local: str) -> Group:
    inner = Group()
    group.groups.setdefault(local, []).append(inner)
    return inner
