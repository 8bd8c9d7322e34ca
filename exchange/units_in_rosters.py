"""Teaching points and branches named in a roster, against the organisation and each other."""

from dataclasses import dataclass, field

from exchange.cells import nearest_word
from exchange.columns import Findings, Line
from exchange.faults import Sentence
from exchange.known import Known, KnownUnit

_KINDS = {"site": ("教学点", "teaching point"), "branch": ("分校", "branch school")}


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitCheck:
    """Checks each row's units; where units may be created, the first row to name one decides."""

    known: Known
    create_units: bool
    named_in_file: dict[str, KnownUnit] = field(default_factory=dict)
    unknown: dict[str, Sentence] = field(default_factory=dict)

    def check(self, line: Line, findings: Findings) -> None:
        """Refuse units that are unknown, of another kind, otherwise named or placed."""
        self._check_unit(line, findings, "branch", parent=None)
        self._check_unit(line, findings, "site", parent=line.text("branch_code"))

    def _check_unit(self, line: Line, findings: Findings, kind: str, *, parent: str | None) -> None:
        code, name = line.text(f"{kind}_code"), line.text(kind)
        if code is None:
            return
        unit = self.known.units.get(code) or self.named_in_file.get(code)
        if unit is not None:
            _compare(line, findings, unit, KnownUnit(name=name or "", kind=kind, parent=parent))
        elif not self.create_units:
            findings.refuse(line, f"{kind}_code", self._unknown_unit(code, kind))
        elif name is not None:
            self.named_in_file[code] = KnownUnit(name=name, kind=kind, parent=parent)

    def _unknown_unit(self, code: str, kind: str) -> Sentence:
        if code not in self.unknown:
            self.unknown[code] = _no_such_unit(code, kind, self.known)
        return self.unknown[code]


def _compare(line: Line, findings: Findings, unit: KnownUnit, named: KnownUnit) -> None:
    code_key = f"{named.kind}_code"
    if unit.kind != named.kind:
        zh, en = _KINDS.get(unit.kind, (unit.kind, unit.kind))
        wanted_zh, wanted_en = _KINDS[named.kind]
        reason = Sentence(
            f"该代码是{zh}“{unit.name}”，不是{wanted_zh}",
            f"this is the code of a {en} ({unit.name}), not of a {wanted_en}",
        )
        findings.refuse(line, code_key, reason)
        return
    if named.name and unit.name != named.name:
        reason = Sentence(f"该代码的名称为“{unit.name}”", f"the code belongs to {unit.name}")
        findings.refuse(line, named.kind, reason)
    if named.parent is not None and unit.parent != named.parent:
        reason = Sentence(
            f"该教学点属于分校 {unit.parent}，不属于 {named.parent}",
            f"this teaching point is under branch {unit.parent}, not {named.parent}",
        )
        findings.refuse(line, code_key, reason)


def _no_such_unit(code: str, kind: str, known: Known) -> Sentence:
    codes = [code for code, unit in known.units.items() if unit.kind == kind]
    nearest = nearest_word(code, codes)
    zh, en = _KINDS[kind]
    hint_zh = f"；是否为 {nearest}（{known.units[nearest].name}）" if nearest else ""
    hint_en = f"; did you mean {nearest} ({known.units[nearest].name})?" if nearest else ""
    return Sentence(
        f"没有代码为 {code} 的{zh}{hint_zh}；确为新单位时加 --create-units",
        f"no {en} has the code {code}{hint_en}; if it is new, give --create-units",
    )
