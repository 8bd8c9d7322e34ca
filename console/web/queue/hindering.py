"""What holds a case up, and what of it is to be looked at, in a word each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from console.web.visit import Visit
from engine.definition import Bilingual
from engine.lane_queries import Placed
from engine.lanes import Lane
from engine.vocabulary import Rule


def rule_of(visit: Visit, name: str) -> Rule | None:
    """A rule of the institution or of the engine; None where it is known no more."""
    book = visit.desk.library.rulebook
    return book.rules.get(name) or book.engine.get(name)


def rule_title(visit: Visit, name: str) -> Bilingual:
    """What a rule is called; one that is known no more, by its name."""
    known = rule_of(visit, name)
    title = None if known is None else known.title
    return title or Bilingual(zh=name, en=name)


def why(visit: Visit, standing: Placed) -> tuple[str, ...]:
    """Why a case stands in its lane: what holds it up, or else what is to be looked at."""
    if standing.lane is Lane.BLOCKED:
        return tuple(visit.title(rule_title(visit, one)) for one in standing.hindrances)
    return cautions_of(visit, standing)


def cautions_of(visit: Visit, standing: Placed) -> tuple[str, ...]:
    """What of a case is to be looked at, each once."""
    return tuple(dict.fromkeys(short_caution(visit, one) for one in _telling(standing.cautions)))


def _telling(cautions: Sequence[str]) -> Iterator[str]:
    """Cautions without those that say less of a fact than another does: corrected or retaken, it has been changed."""
    facts = {one.partition(".")[2] for one in cautions if one.startswith(("corrected.", "retaken."))}
    return (one for one in cautions if not (one.startswith("changed-since.") and one.partition(".")[2] in facts))


def short_caution(visit: Visit, caution: str) -> str:
    """A caution in a word."""
    kind, _, name = caution.partition(".")
    known = visit.desk.library.rulebook.vocabulary.student.get(name)
    fact = visit.say("资料") if known is None else visit.title(known.title)
    said = {
        "sent-back": visit.say("再报"),
        "changed-since": visit.say("{fact}改过", fact=fact),
        "corrected": visit.say("{fact}更正", fact=fact),
        "by-hand": visit.say("{fact}人工录入", fact=fact),
        "by-delegate": visit.say("前次受托办理"),
        "retaken": visit.say("{fact}重采", fact=fact),
        "late": visit.say("已标逾期"),
        "transferred": visit.say("新转入"),
    }
    return said.get(kind, caution)
