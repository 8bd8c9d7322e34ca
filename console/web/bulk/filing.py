"""Filing for all who were forgotten (漏申请) as one decision on many cases: the records of a roll, not of a queue.

Source: console.md 2 (the site operator), requirements.md F-81 (S001-I-6.5).
"""

from __future__ import annotations

from collections.abc import Iterable

from console.web.bulk import choosing
from console.web.visit import Visit
from engine.records import Json
from engine.roll_call import Roll
from engine.store.bulk_runs import Run, Stage
from engine.trail.event import canonical, moment


def freeze(visit: Visit, roll: Roll, cases: Iterable[int], back: str) -> str | None:
    """Keep whom to file for, each judged once as things stand; the id of the run, None where nobody is left.

    Args:
        visit: By whom.
        roll: Of the batch they apply in.
        cases: Their records.
        back: The page they were chosen on.
    """
    given: dict[str, Json] = {"batch": roll.batch.name}
    here = choosing.resting(visit, visit.asks(roll.trigger, given), cases)
    written, made_at = canonical(given).decode(), moment(visit.at)
    run = Run("", visit.login, roll.trigger, back, Stage.PREVIEW, made_at, None, written)
    return choosing.keep(visit, run, here) if here else None
