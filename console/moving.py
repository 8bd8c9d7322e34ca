"""`move` and `sign`: sort out what was typed: one case, a signature of it, or everybody of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from console.calling import Caller, Misuse, read_pairs
from console.mass_moving import MassMove, move_all
from console.working import Asked, move_one, sign_one

_SAID = {"yes": True, "是": True, "no": False, "否": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The words and options of one `move` or `sign`."""

    words: tuple[str, ...]
    login: str
    case: str | None
    reason: str | None
    request: str | None
    as_json: bool
    ticks: tuple[str, ...]
    to: str | None = None
    everybody: bool = False
    batch: str | None = None
    dry_run: bool = False


def move(caller: Caller, typed: Typed) -> int:
    """Take a step of one case, or of all of a batch.

    Raises:
        Misuse: If words are missing, or options of the one are given with the other.
    """
    _refuse_mixed(typed)
    if typed.everybody:
        trigger, *fields = typed.words
        return move_all(
            caller,
            MassMove(
                step=_asked(typed, "", trigger, read_pairs(fields)), batch=typed.batch or "", dry_run=typed.dry_run,
                as_json=typed.as_json,
            ),
        )  # fmt: skip
    about, trigger, *fields = typed.words
    return move_one(caller, _asked(typed, about, trigger, read_pairs(fields)), as_json=typed.as_json)


def sign(caller: Caller, typed: Typed, *, slot: str | None, against: bool) -> int:
    """Sign a step of one case, or say no to it.

    Raises:
        Misuse: If a field or a tick is not written as one, or the step is not signed.
    """
    about, trigger, *fields = typed.words
    asked = _asked(typed, about, trigger, read_pairs(fields))
    return sign_one(caller, replace(asked, slot=slot, consents=not against), as_json=typed.as_json)


def _asked(typed: Typed, about: str, trigger: str, fields: Mapping[str, str]) -> Asked:
    given = fields if typed.reason is None else {**fields, "reason": typed.reason}
    return Asked(
        about=about, trigger=trigger, login=typed.login, given=given, case=typed.case, to=typed.to,
        request=typed.request, ticks=_read_ticks(typed.ticks),
    )  # fmt: skip


def _read_ticks(words: Sequence[str]) -> dict[str, bool]:
    """Ticks as typed: DOC.TICK is yes, DOC.TICK=no is no.

    Raises:
        Misuse: If one is not written so.
    """
    ticks: dict[str, bool] = {}
    for word in words:
        name, equals, said = word.partition("=")
        if not name or (equals and said not in _SAID):
            message = f"“{word}”应写作 材料.勾选项[=no]。'{word}' should read DOC.TICK, or DOC.TICK=no."
            raise Misuse(message)
        ticks[name] = _SAID[said] if equals else True
    return ticks


def _refuse_mixed(typed: Typed) -> None:
    if typed.everybody and typed.batch is None:
        message = "--all-eligible 须与 --batch 同用。--all-eligible goes with --batch B."
    elif typed.everybody and typed.case is not None:
        message = "--case 只用于单个办件，不与 --all-eligible 同用。--case is for one case, not for --all-eligible."
    elif not typed.everybody and (typed.batch is not None or typed.dry_run):
        message = (
            "--batch 与 --dry-run 只与 --all-eligible 同用；单个办件的批次写作 batch=…，能否办理见 xueji case。"
            " --batch and --dry-run go with --all-eligible; for one case give batch=B, and look with 'xueji case'."
        )
    elif not typed.everybody and len(typed.words) == 1:
        message = f"只给出了“{typed.words[0]}”，应为 学号（或单位代码）步骤。Give both: move STUDENT_NO TRIGGER."
    else:
        return
    raise Misuse(message)
