"""Students who do not exist, for the demonstration and the tests: the same seed, the same people.

Every draw is a function of the seed, the student's place in the list and the question asked, so
that one more question changes no other answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import blake2b
from typing import TypeVar

from exchange.certificates import make_certificate_no
from exchange.identity import make_check_digit
from exchange.invented_names import DOTTED_NAMES, GIVEN_SYLLABLES, SURNAMES

Option = TypeVar("Option")
Cells = Mapping[str, str]

SCHOOL_CODE = "51161"
# 学历注册 of an open university: which digit it uses is not settled (domain.md, 2.2).
_CERTIFICATE_KIND = "5"

# Batch 2024-06 (requirements.md, G-GR-01), and three pairs it leaves out.
PAIRS_OF_BATCH = (
    (2018, "高起本"), (2019, "高起本"), (2020, "专科"), (2020, "专升本"),
    (2021, "专科"), (2021, "专升本"), (2022, "专科"), (2022, "专升本"),
)  # fmt: skip
PAIRS_OUTSIDE = ((2017, "高起本"), (2022, "高起本"), (2023, "专科"))
_PAIRS_WITH_LEVEL_EXAM = frozenset({(2022, "专科"), (2022, "专升本")})
_TERMS = {"专科": 5, "专升本": 5, "高起本": 10}
_YEARS = {"专科": "2.5", "专升本": "2.5", "高起本": "5"}

# Shares in per cent of all students; those left are fully in order. A level examination missed is
# no trouble to those it does not apply to (S000-2.4).
SHARE_OUTSIDE_BATCH = 4
TROUBLES: tuple[tuple[int, Cells], ...] = (
    (4, {"fee_owed": "1280.50"}),
    (1, {"fee_owed": ""}),
    (3, {"photo_collected": "否", "photo_review": "", "electronic_photo": "否"}),
    (2, {"photo_review": "待审"}),
    (1, {"photo_review": "未通过"}),
    (2, {"terms_passed": "3"}),
    (1, {"terms_passed": ""}),
    (2, {"level_exam": "缺考"}),
    (1, {"level_exam": ""}),
    (1, {"prior_qualification": "待审"}),
    (1, {"key_info_confirmed": "否", "identity_check": "未核"}),
    (1, {"form_filled": "否", "form_signed": "否", "file_reviewed": "否", "site_opinion": ""}),
)

_MAJORS = {
    "专科": (("530605", "工商企业管理"), ("530302", "大数据与会计"), ("590206", "行政管理")),
    "专升本": (("120201", "工商管理"), ("030101", "法学"), ("050101", "汉语言文学")),
    "高起本": (("080901", "计算机科学与技术"), ("120402", "行政管理")),
}
_REGIONS = (
    "110101", "120103", "130102", "140105", "150102", "210102", "220104", "230103", "310104",
    "320102", "330106", "340103", "350102", "360103", "370102", "410105", "420106", "430102",
    "440104", "450103", "460105", "500103", "510104", "520103", "530102", "540102", "610103",
    "620102", "630103", "640104", "650102", "653101",
)  # fmt: skip
_REGION_OF_DOTTED_NAMES = "653101"
_FIRST_BIRTH_ON = date(1973, 1, 1)
_DAYS_OF_BIRTH = 27 * 365
_BIRTHS = len(_REGIONS) * _DAYS_OF_BIRTH * 500
_STRIDE = 97_641_161
_LONGER_FROM = 2020
_DONE = (
    "card_filled",
    "form_filled",
    "form_signed",
    "file_reviewed",
    "site_opinion",
    "electronic_photo",
    "preliminary_passed",
    "unified_exam_passed",
    "unified_exam_synced",
)
_POLITICS = ("群众", "群众", "群众", "共青团员", "中共党员")


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedSite:
    """A teaching point and the branch school above it."""

    code: str
    name: str
    branch_code: str
    branch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InventedStudent:
    """Three sheets' worth of cells about one student, by column key, as a person would type."""

    roster: Cells
    facts: Cells
    """Up to the application; a blank cell is something nobody has entered yet."""
    certificate: Cells
    """What the school adds at the end: conclusion, certificate number, two days."""

    @property
    def student_no(self) -> str:
        """The student number."""
        return self.roster["student_no"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Conclusion:
    graduated_on: date
    school_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draws:
    seed: int
    place: int

    def below(self, question: str, limit: int) -> int:
        told = f"{self.seed}/{self.place}/{question}".encode()
        return int.from_bytes(blake2b(told, digest_size=8).digest()) % limit

    def pick(self, question: str, options: Sequence[Option]) -> Option:
        return options[self.below(question, len(options))]


def invent_sites(branches: int, sites_per_branch: int) -> tuple[InventedSite, ...]:
    """Teaching points under branch schools, numbered so that the code of a site names its branch.

    Args:
        branches: At most 99.
        sites_per_branch: At most 99.
    """
    return tuple(
        InventedSite(
            code=f"{SCHOOL_CODE}{branch:02d}{site:02d}",
            name=f"第{branch}分校第{site}教学点",
            branch_code=f"{SCHOOL_CODE}{branch:02d}",
            branch=f"第{branch}分校",
        )
        for branch in range(1, branches + 1)
        for site in range(1, sites_per_branch + 1)
    )


def invent_students(
    count: int,
    seed: int,
    sites: Sequence[InventedSite],
    *,
    graduated_on: date = date(2024, 7, 31),
    school_code: str = SCHOOL_CODE,
) -> list[InventedStudent]:
    """Invent students of batch 2024-06: about 80 in 100 fully in order, the rest as in real life.

    Args:
        count: How many, at most 100,000.
        seed: The same seed gives the same students; a longer list begins with the shorter one.
        sites: Where they study, in turn.
        graduated_on: The date on their certificates.
        school_code: The first five digits of certificate numbers.
    """
    return [
        _invent(
            _Draws(seed=seed, place=place),
            sites[place % len(sites)],
            _Conclusion(graduated_on=graduated_on, school_code=school_code),
        )
        for place in range(count)
    ]


def _invent(draws: _Draws, site: InventedSite, conclusion: _Conclusion) -> InventedStudent:
    outside = draws.below("outside", 100) < SHARE_OUTSIDE_BATCH
    cohort, level = draws.pick("pair", PAIRS_OUTSIDE if outside else PAIRS_OF_BATCH)
    season = draws.pick("season", ("03", "09"))
    student_no = _student_no(cohort, season, draws.place)
    roster = {
        "student_no": student_no,
        **_person(draws, cohort),
        **_programme(draws, cohort, level, season),
        "site_code": site.code,
        "site": site.name,
        "branch_code": site.branch_code,
        "branch": site.branch,
    }
    return InventedStudent(
        roster=roster,
        facts={"student_no": student_no, **_facts(draws, cohort, level)},
        certificate={"student_no": student_no, **_certificate(conclusion, level, draws.place)},
    )


def _student_no(cohort: int, season: str, place: int) -> str:
    # 13 places since 2020, 12 before: both kinds are on file together.
    serial = place + 1
    return f"{cohort}{season}{serial:07d}" if cohort >= _LONGER_FROM else f"{cohort}{season}{serial:06d}"


def _person(draws: _Draws, cohort: int) -> dict[str, str]:
    gender = draws.pick("gender", ("男", "女"))
    region, born_on, order = _birth(draws)
    dotted = region == _REGION_OF_DOTTED_NAMES
    ethnicity, name = _dotted_name(draws, gender) if dotted else _han_name(draws, gender)
    first_17 = f"{region}{born_on:%Y%m%d}{2 * order + (gender == '男'):03d}"
    return {
        "exam_no": f"{cohort % 100:02d}{region}{draws.place:06d}",
        "name": name,
        "gender": gender,
        "born_on": f"{born_on:%Y%m%d}",
        "id_number": first_17 + make_check_digit(first_17),
        "ethnicity": ethnicity,
        "politics": draws.pick("politics", _POLITICS),
    }


def _birth(draws: _Draws) -> tuple[str, date, int]:
    # No two places of a list share region, day and order: the stride has no factor in common
    # with the number of births, so it visits each once (golden ratio, so that neighbours differ).
    birth = (draws.place * _STRIDE + draws.seed) % _BIRTHS
    day, region = divmod(birth, len(_REGIONS))
    order, day = divmod(day, _DAYS_OF_BIRTH)
    return _REGIONS[region], _FIRST_BIRTH_ON + timedelta(days=day), order


def _han_name(draws: _Draws, gender: str) -> tuple[str, str]:
    syllables = GIVEN_SYLLABLES[gender]
    first, second = draws.pick("first", syllables), draws.pick("second", syllables)
    short = draws.below("short", 4) == 0 or first == second
    return "汉族", draws.pick("surname", SURNAMES) + (first if short else first + second)


def _dotted_name(draws: _Draws, gender: str) -> tuple[str, str]:
    people, own, fathers = draws.pick("people", DOTTED_NAMES[gender])
    return people, f"{draws.pick('own', own)}·{draws.pick('father', fathers)}"


def _programme(draws: _Draws, cohort: int, level: str, season: str) -> dict[str, str]:
    major_code, major = draws.pick("major", _MAJORS[level])
    return {
        "level": level,
        "cohort": str(cohort),
        "major_code": major_code,
        "major": major,
        "study_years": _YEARS[level],
        "study_mode": "开放教育",
        "enrolled_on": f"{cohort}{season}01",
    }


def _facts(draws: _Draws, cohort: int, level: str) -> Cells:
    terms = str(_TERMS[level])
    in_order = {
        "prior_qualification": draws.pick("prior", ("符合", "审核通过")),
        "key_info_confirmed": "是",
        "terms_required": terms,
        "terms_passed": terms,
        "level_exam": "合格" if (cohort, level) in _PAIRS_WITH_LEVEL_EXAM else "",
        "photo_collected": "是",
        "photo_review": "通过",
        "identity_check": "通过",
        "photo_vendor": draws.pick("vendor", ("新华社", "金沙江")),
        "fee_owed": "0.00",
        **dict.fromkeys(_DONE, "是"),
    }
    return {**in_order, **_trouble(draws)}


def _trouble(draws: _Draws) -> Cells:
    drawn = draws.below("trouble", 100)
    for share, cells in TROUBLES:
        if drawn < share:
            return cells
        drawn -= share
    return {}


def _certificate(conclusion: _Conclusion, level: str, place: int) -> dict[str, str]:
    day = f"{conclusion.graduated_on:%Y%m%d}"
    number = make_certificate_no(
        school_code=conclusion.school_code,
        kind=_CERTIFICATE_KIND,
        graduated_on=conclusion.graduated_on,
        level=level,
        serial=place + 1,
    )
    return {
        "conclusion": "毕业",
        "certificate_no": number,
        "graduated_on": day,
        "issued_on": day,
    }
