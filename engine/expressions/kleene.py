"""What three-valued code needs while it runs; `None` is undecided (language.md, section 10)."""

from collections.abc import Callable, Iterable, Sequence

from engine.expressions.kinds import Row, Value

Rows = Sequence[Row] | None
Condition = Callable[[Row], bool | None]


def choose(test: object, then: Value | None, otherwise: Value | None) -> Value | None:
    """Decide a conditional; an undecided test only where both branches agree."""
    if test is None:
        return then if then == otherwise else None
    return then if test else otherwise


def same(one: object, other: object) -> bool | None:
    """Compare two values; tuples element by element, so that one known difference decides."""
    if one is None or other is None:
        return None
    if not isinstance(one, tuple) or not isinstance(other, tuple):
        return one == other
    undecided = False
    for left, right in zip(one, other, strict=True):
        equal = same(left, right)
        if equal is False:
            return False
        undecided = undecided or equal is None
    return None if undecided else True


def among(item: object, options: Iterable[object] | None) -> bool | None:
    """Look for an item: true as soon as one equals, else undecided if one is missing."""
    if item is None or options is None:
        return None
    verdict: bool | None = False
    for option in options:
        equal = same(item, option)
        if equal:
            return True
        if equal is None:
            verdict = None
    return verdict


def whole(rows: Rows, columns: tuple[str, ...]) -> Iterable[tuple[object, ...]] | None:
    """Give the rows of a table as tuples of their columns."""
    if rows is None:
        return None
    return (tuple(row.get(column) for column in columns) for row in rows)


def every(rows: Rows, holds: Condition) -> bool | None:
    """Join the conditions of all rows by `and`; true of no rows."""
    if rows is None:
        return None
    verdict: bool | None = True
    for row in rows:
        one = holds(row)
        if one is False:
            return False
        if one is None:
            verdict = None
    return verdict


def some(rows: Rows, holds: Condition) -> bool | None:
    """Join the conditions of all rows by `or`; false of no rows."""
    if rows is None:
        return None
    verdict: bool | None = False
    for row in rows:
        one = holds(row)
        if one:
            return True
        if one is None:
            verdict = None
    return verdict


def no(rows: Rows, holds: Condition) -> bool | None:
    """Tell whether the condition holds of no row."""
    found = some(rows, holds)
    return None if found is None else not found


def where(rows: Rows, holds: Condition) -> tuple[Row, ...] | None:
    """Keep the rows of which a condition holds; undecided as soon as one row is."""
    if rows is None:
        return None
    kept = []
    for row in rows:
        one = holds(row)
        if one is None:
            return None
        if one:
            kept.append(row)
    return tuple(kept)


def count(rows: Rows, holds: Condition) -> int | None:
    """Count the rows of which a condition holds; undecided as soon as one row is."""
    kept = where(rows, holds)
    return None if kept is None else len(kept)


def values(rows: Rows, holds: Condition, element: Callable[[Row], object]) -> tuple[object, ...] | None:
    """Collect one value per row, each once; a row of undecided condition gives a missing one."""
    if rows is None:
        return None
    found: dict[object, None] = {}
    for row in rows:
        one = holds(row)
        if one is not False:
            found[element(row) if one else None] = None
    return tuple(found)
