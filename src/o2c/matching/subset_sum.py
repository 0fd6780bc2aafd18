"""Which of a few open items add up to an amount, and whether that says anything.

Plain Python over plain numbers (amounts in units of 0.0001, so that nothing is rounded). Meeting in the middle: the
sums of either half of the items are listed, so 16 items take 2 x 256 sums instead of 65,536.
"""

from collections.abc import Hashable, Sequence
from decimal import Decimal
from heapq import nsmallest
from math import comb


def list_subsets(
    amounts: Sequence[int], wanted: int, most: int, kinds: Sequence[Hashable] | None = None
) -> list[tuple[int, ...]]:
    """Subsets of the amounts that add up to ``wanted``, as indexes: fewest first, then those of the first amounts.

    Work is bounded by ``2 ** (n / 2 + 1)`` sums and ``most`` subsets per sum. The empty subset is none.

    Args:
        amounts: at most 20 or so, in the order in which they are preferred; credit memos negative.
        wanted: what they shall add up to.
        most: no more subsets than this are returned, the best of all.
        kinds: of amounts of one kind, which are the same amount, the first ones are taken before the others. By
            default each is a kind by itself.
    """
    of_kind: dict[Hashable, list[int]] = {}
    for index in range(len(amounts)):
        of_kind.setdefault(index if kinds is None else kinds[index], []).append(index)
    groups = list(of_kind.values())
    half = _half(groups, len(amounts))
    left, left_masks = _sums(groups[:half], amounts)
    right, right_masks = _sums(groups[half:], amounts)
    needed = {wanted - found for found in left}.intersection(right)
    if not needed:
        return []
    rights: dict[int, list[int]] = {found: [] for found in needed}
    for found, mask in zip(right, right_masks, strict=True):
        if found in needed:
            rights[found].append(mask)
    # What is best for one left half does not depend on it, so of each sum no more than ``most`` halves are looked at.
    best = {found: nsmallest(most + 1, masks, key=_preference) for found, masks in rights.items()}
    whole = [
        mask | other
        for found, mask in zip(left, left_masks, strict=True)
        for other in best.get(wanted - found, ())
        if mask | other
    ]
    return [_indexes(mask) for mask in nsmallest(most, whole, key=_preference)]


def expected_accidents(amounts: Sequence[int], max_terms: int, unit: int) -> Decimal:
    """How many subsets of up to ``max_terms`` amounts hit a sum in the middle of all sums by accident.

    ``sum of C(n, k) / (2.5 x standard deviation)``: each amount is in or out of a sum with equal chances, and sums
    lie on the currency's smallest unit.

    Args:
        amounts: in units of 0.0001, none of them zero, at least one.
        max_terms: larger subsets are not counted.
        unit: the currency's smallest amount in units of 0.0001.
    """
    count = sum(comb(len(amounts), size) for size in range(1, max_terms + 1))
    squares = Decimal(sum(amount * amount for amount in amounts))
    return Decimal(count * unit) / (Decimal("2.5") * (squares / 4).sqrt())


def _half(groups: list[list[int]], count: int) -> int:
    """How many of the groups hold about half of the amounts."""
    held = 0
    for place, group in enumerate(groups):
        if 2 * held >= count:
            return place
        held += len(group)
    return len(groups)


def _sums(groups: list[list[int]], amounts: Sequence[int]) -> tuple[list[int], list[int]]:
    """Sums of the subsets that take the first of each group, with their members as bits."""
    sums, masks = [0], [0]
    for group in groups:
        bits, total, before = 0, 0, list(zip(sums, masks, strict=True))
        for index in group:
            bits, total = bits | 1 << index, total + amounts[index]
            sums += [found + total for found, _ in before]
            masks += [mask | bits for _, mask in before]
    return sums, masks


def _indexes(mask: int) -> tuple[int, ...]:
    return tuple(place for place in range(mask.bit_length()) if mask >> place & 1)


def _preference(mask: int) -> tuple[int, tuple[int, ...]]:
    return mask.bit_count(), _indexes(mask)
