"""One element of a camt message as texts by path, so that each field is a look-up and not a search."""

from typing import Any

# Elements that may come several times, each with its own content.
_GROUPS = frozenset({"Strd", "Rcrd", "RfrdDocInf", "AdjstmntAmtAndRsn", "DscntApldAmt", "Bal", "Chrgs"})
# Elements of no use to us that can be long; entries are not part of the head of their statement.
_UNUSED = frozenset({"PstlAdr", "CtctDtls", "SplmtryData", "Tax", "Invcr", "Invcee", "RltdPric", "Ntry"})
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


# More than the fullest message has.
_MOST_PLACES = 5000


class Node:
    """A place in the message, found once per file: its path, and what is done with an element there."""

    __slots__ = ("below", "has_currency", "is_group", "is_many", "is_unused", "known", "local", "path")

    def __init__(self, local: str = "", path: str = "", known: list[str] | None = None) -> None:
        self.local, self.path = local, path
        # Places remembered below the same root, so that a file that makes up names gets no memory for them.
        self.known: list[str] = [] if known is None else known
        self.is_group, self.is_many = local in _GROUPS, local in _MANY
        self.is_unused, self.has_currency = local in _UNUSED, local[-3:] == "Amt"
        self.below: dict[str, Node] = {}

    def child(self, tag: str) -> "Node":
        """The place of an element with this tag below here. A group's own content starts a path anew."""
        local = tag.rpartition("}")[2]
        prefix = "" if self.is_group or not self.path else f"{self.path}/"
        found = Node(local, prefix + local, self.known)
        if len(self.known) < _MOST_PLACES:
            self.known.append(found.path)
            self.below[tag] = found
        return found


def flatten(element: Any, place: Node) -> Group:
    """The element's texts by path. ``place`` is the element's own and remembers what is below it."""
    group = Group()
    _fill(group, element, place)
    return group


def _fill(group: Group, element: Any, place: Node) -> None:
    below, texts = place.below, group.texts
    for child in element:
        tag = child.tag
        node = below.get(tag)
        if node is None:
            node = place.child(tag)
        if len(child):
            if node.is_group:
                _fill(_new(group, node.local), child, node)
            elif not node.is_unused:
                _fill(group, child, node)
        elif (text := child.text) and (text := text.strip()):
            if node.is_group:
                _new(group, node.local).texts[""] = text
            elif node.is_many:
                group.many.setdefault(node.local, []).append(text)
            elif (path := node.path) not in texts:
                texts[path] = text
                if node.has_currency and (currency := child.get("Ccy")):
                    group.currencies[path] = currency


def _new(group: Group, local: str) -> Group:
    inner = Group()
    group.groups.setdefault(local, []).append(inner)
    return inner
