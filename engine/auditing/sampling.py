"""Sampling: which cases an auditor reads, so that anybody can draw the very same ones again by hand.

Size: Cochran, Sampling Techniques, 3rd edition (1977), section 4.4, for a share that is least favourable (one half):

    n0 = z² · 0.25 / e²        n = n0 / (1 + (n0 - 1) / N), rounded up

where N is the number of cases, e the tolerable error as a share, and z the two-sided normal deviate of the confidence
(95 %: 1.9600). The share of the cases that have some fault is then known to within e, with that confidence.

Strata: each unit gets n · Nₕ / N cases, rounded down, but at least one and at most all of its own; what is left of n
goes to the units with the largest remainders, equal ones in order of their codes. Many small units make the sample
larger than n, never smaller.

Draw: within its unit a case ranks by SHA-256 of the text `SEED:CASE` (`printf '%s' SEED:CASE | sha256sum`); the
smallest hashes are drawn. There is no generator whose next version could draw otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from math import ceil
from statistics import NormalDist

from engine.auditing.history import readable
from engine.auditing.scope import Scope
from engine.errors import Unreadable
from engine.records import case_number, case_of
from engine.store.database import Connection
from engine.store.trail import containing
from engine.trail.event import EventKind

ALGORITHM = "sha256(seed:case)/1"
"""What a sample's event calls the draw described above."""
_LEAST_FAVOURABLE = Fraction(1, 4)  # p(1 - p) at one half
_LOOK = b'"trigger":"view:case"'  # canonical bytes of a look at a case as a whole, which auditors' looks are
_DIGITS_OF_DEVIATE = 4  # as in printed tables, so that the size can be worked out with one


@dataclass(frozen=True, slots=True, kw_only=True)
class Stratum:
    """The cases of one unit: how many there are, and those drawn, by number."""

    unit: str
    population: int
    drawn: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A drawn sample; `digest` is the SHA-256 of all case numbers it was drawn from, sorted, a line each."""

    seed: str
    digest: str
    strata: tuple[Stratum, ...]

    @property
    def population(self) -> int:
        """How many cases there were."""
        return sum(one.population for one in self.strata)

    @property
    def cases(self) -> tuple[str, ...]:
        """The numbers drawn, unit by unit."""
        return tuple(number for one in self.strata for number in one.drawn)


def sample_size(population: int, confidence: Fraction, error: Fraction) -> int:
    """How many of `population` cases must be read; the formula is that of this module.

    Args:
        population: How many cases there are.
        confidence: In percent, such as 95.
        error: The tolerable error, in percent, such as 5.

    Raises:
        Unreadable: If either is not between 0 and 100, both excluded.
    """
    for name, value in (("--confidence", confidence), ("--error", error)):
        if not 0 < value < 100:  # noqa: PLR2004 percent
            raise Unreadable(name, str(float(value)), "大于 0、小于 100 的百分数 a percentage between 0 and 100")
    if population == 0:
        return 0
    deviate = Fraction(str(round(NormalDist().inv_cdf(float(1 + confidence / 100) / 2), _DIGITS_OF_DEVIATE)))
    unlimited = deviate**2 * _LEAST_FAVOURABLE / (error / 100) ** 2
    return min(population, max(1, ceil(unlimited / (1 + (unlimited - 1) / population))))


def allocate(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many cases each unit gives, by the rule of this module: at least one, in proportion, all of them at most."""
    total = sum(sizes.values())
    shares = {unit: Fraction(min(wanted, total) * size, total) for unit, size in sizes.items() if size}
    given = {unit: min(sizes[unit], max(1, int(share))) for unit, share in shares.items()}
    by_remainder = sorted(shares, key=lambda unit: (given[unit] - shares[unit], unit))
    for unit in by_remainder:
        if sum(given.values()) >= wanted:
            break
        given[unit] += given[unit] < sizes[unit]
    return given


def rank(seed: str, number: str) -> str:
    """Where a case stands under a seed: the hexadecimal SHA-256 by which the smallest are drawn."""
    return sha256(f"{seed}:{number}".encode()).hexdigest()


def draw(population: Mapping[str, Sequence[str]], wanted: int, seed: str) -> Sample:
    """Draw a sample.

    Args:
        population: The case numbers of every unit.
        wanted: How many in all; at least one of each unit is drawn.
        seed: Whatever is agreed; the same seed draws the same cases of the same population.
    """
    given = allocate({unit: len(numbers) for unit, numbers in population.items()}, wanted)
    strata = [
        Stratum(
            unit=unit,
            population=len(numbers),
            drawn=tuple(sorted(numbers, key=lambda number: rank(seed, number))[: given.get(unit, 0)]),
        )
        for unit, numbers in sorted(population.items())
    ]
    everything = "".join(f"{number}\n" for number in sorted(one for numbers in population.values() for one in numbers))
    return Sample(seed=seed, digest=sha256(everything.encode()).hexdigest(), strata=tuple(strata))


def population_of(
    connection: Connection, scope: Scope, workflow: str | None, above: Mapping[str, str]
) -> dict[str, list[str]]:
    """The case numbers a sample is drawn from, by unit.

    Args:
        connection: Where the cases are.
        scope: Whose cases.
        workflow: Those of this workflow alone, if one is named.
        above: For which unit another stands in the sample; one not named stands for itself.
    """
    where, params = scope.where()
    sql = f"SELECT c.id, c.unit FROM cases c WHERE {where}"  # noqa: S608 constant text
    if workflow is not None:
        sql, params = f"{sql} AND c.workflow = ?", (*params, workflow)
    return _by_unit(connection.execute(f"{sql} ORDER BY c.id", params), above)


def looked_at(connection: Connection, numbers: Collection[str]) -> dict[str, str]:
    """When an auditor last opened some cases, by number; those nobody has opened are left out."""
    chains = [chain for number in numbers if (chain := case_of(number)) is not None]
    if not chains:
        return {}
    marks = ",".join("?" * len(chains))
    sql = (
        f"SELECT e.chain, e.body FROM event e WHERE e.chain IN ({marks}) AND {containing(connection)}"  # noqa: S608 constant text
        " ORDER BY e.chain, e.seq"
    )
    rows = connection.execute(sql, (*chains, _LOOK)).fetchall()
    told = ((int(chain), readable(body)) for chain, body in rows)
    return {case_number(chain): event["at"] for chain, event in told if event["kind"] == EventKind.VIEWED}


def _by_unit(rows: Iterable[Sequence[object]], above: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for case, unit in rows:
        found.setdefault(above.get(str(unit), str(unit)), []).append(case_number(int(str(case))))
    return found
