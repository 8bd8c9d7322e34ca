"""Acts that the stories of changed information have in common: asking for a change, and the pictures that prove it."""

from __future__ import annotations

from collections.abc import Mapping

from engine.records import Json
from tests.definitions.world import Told, World
from tests.exchange.pictures import picture

CHANGE = "student-information-change"
BATCH = "2024-06"
SCANNED: Mapping[str, Json] = {"device": "scanner", "original": True}
CALLED = {
    "E-IC-ID": "身份证", "E-IC-ENROL": "报名登记表", "E-IC-HOUSEHOLD": "户口本", "E-IC-POLICE": "主项信息变更证明",
    "E-IC-NOTICE": "公民身份证号码更正事项告知函", "E-IC-IDPROOF": "公民身份证号码变更证明",
    "E-IC-CHSI": "学信网学历网查结果", "E-IC-REPORT": "学历认证报告", "E-IC-DIPLOMA": "毕业证书",
    "E-IC-GRADFORM": "毕业生登记表",
}  # fmt: skip
"""How the file of each kind of evidence is called (requirements.md 6.2)."""

NEW_VALUES: Mapping[str, Json] = {
    "name": "李明", "gender": "男", "ethnicity": "彝族", "id_number": "510107200001010014", "entry_level": "大专",
}  # fmt: skip


def asked_of(item: str, kind: str, **more: Json) -> dict[str, Json]:
    """What is asked to open a change of an item, dated last week where it is a change."""
    dated: dict[str, Json] = {"changed_on": "2024-04-15"} if kind == "change" else {}
    return {"item": item, "kind": kind, "new_value": NEW_VALUES[item], **dated, **more}


def drafted(world: World, student: str, item: str = "name", kind: str = "change", **more: Json) -> Told:
    """A change as the student asks for it."""
    return world.opens(CHANGE, student, "draft", "student", **asked_of(item, kind, **more))


def proves(case: Told, *kinds: str, by: str = "student") -> Told:
    """Hand in a small picture of each kind of evidence, named by what it shows."""
    for kind in kinds:
        case.hands_in(kind, by=by, body=picture(size=(200, 200)), name=f"{CALLED[kind]}.jpg")
    return case


def named_proved(world: World, student: str, *kinds: str) -> Told:
    """A change of name with its proofs, and whatever else is handed in with them."""
    return proves(drafted(world, student), "E-IC-ID", "E-IC-HOUSEHOLD", *kinds)


def applied(world: World, **facts: Json) -> str:
    """A student of the open university for whom the application for graduation has been filed."""
    if world.town.desk.batch(BATCH) is None:
        world.publishes(BATCH, graduation_on="2024-06-30", school_name="示范大学", president="校长甲")
    student = world.ready()
    world.knows(student, **facts)
    world.record(student).takes("apply", "site_operator", batch=BATCH)
    return student


def graduated(world: World, **facts: Json) -> str:
    """A student whose credential is registered and not yet open for query, graduating on the last day of June."""
    student = applied(world, **{"registration_no": "5116120240600001", **facts})
    record = world.record(student).takes("site_approve", "site_approver").takes("branch_approve", "branch_approver")
    record.takes("provincial_audit", "provincial_auditor").takes("register", "records_section", final_audit="通过")
    return student
