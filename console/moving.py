"""`move`: sorts out what was typed: one case, or everybody of a batch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from console.calling import Caller, Misuse, read_pairs
from console.mass_moving import MassMove, move_all
from console.working import Asked, move_one


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """The words and options of one `move`."""

    words: tuple[str, ...]
    login: str
    case: str | None
    to: str | None
    reason: str | None
    request: str | None
    everybody: bool
    batch: str | None
    dry_run: bool
    as_json: bool


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
    student_no, trigger, *fields = typed.words
    return move_one(caller, _asked(typed, student_no, trigger, read_pairs(fields)), as_json=typed.as_json)


def _asked(typed: Typed, student_no: str, trigger: str, fields: Mapping[str, str]) -> Asked:
    given = fields if typed.reason is None else {**fields, "reason": typed.reason}
    return Asked(
        student_no=student_no, trigger=trigger, login=typed.login, given=given, case=typed.case, to=typed.to,
        request=typed.request,
    )  # fmt: skip


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
        message = f"只给出了“{typed.words[0]}”，应为 学号 步骤。Give both: move STUDENT_NO TRIGGER."
    else:
        return
    raise Misuse(message)
