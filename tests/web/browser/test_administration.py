"""The pages of administrators in a browser: for everybody, in both languages, and on a telephone."""

import pytest

from console.demo import evening
from tests.web.browser.axe import violations
from tests.web.browser.conftest import PHONE, Visiting
from tests.web.conftest import Site

SITE, OTHER_BRANCH = "511610104", "5116102"
ROLE = f"role=site_approver&unit={SITE}"
PAGES = {
    "security-admin": (
        "/admin/people", f"/admin/people/{evening.APPROVER}", f"/admin/people/{evening.APPROVER}/end?{ROLE}",
        f"/admin/people/{evening.APPROVER}/disable", "/admin/units", f"/admin/units/{SITE}",
        f"/admin/units/{SITE}/move?under={OTHER_BRANCH}", "/admin/delegations", f"/admin/delegations/assign?{ROLE}",
    ),
    "audit-admin": (f"/admin/access?who={evening.APPROVER}",),
    "system-admin": ("/admin/templates", "/admin/templates/urged", "/admin/templates/digest"),
    evening.APPROVER: ("/me/delegations",),
}  # fmt: skip


def _something_to_show(site: Site) -> None:
    """A delegation, a refused one, and a case that was looked at."""
    approver = site.signed_in(evening.APPROVER)
    given = {"what": f"site_approver@{SITE}", "taker": evening.OPERATOR, "until": "2024-05-20", "reason": "出差"}
    approver.post("/me/delegations", given)
    approver.post("/me/delegations", {**given, "taker": evening.APPROVER})
    with site.house.desks.borrowed() as office:
        office.desk.connection.execute(
            "INSERT INTO access_row (login, case_id, at, purpose) SELECT ?, id, '2024-05-15T09:00:00.000000Z', 'open'"
            " FROM cases LIMIT 3",
            (evening.APPROVER,),
        )


@pytest.mark.heavy  # test_every_page.py looks at each page, here at what they turn into
def test_nothing_is_in_anybodys_way_in_either_language_and_no_page_slides_on_a_telephone(
    site: Site, visiting: Visiting
) -> None:
    _something_to_show(site)
    for who, addresses in PAGES.items():
        pages = {lang: visiting(site, who, lang=lang) for lang in ("zh", "en")}
        for lang, page in pages.items():
            for address in addresses:
                page.goto(address)
                assert violations(page) == [], (lang, address)
        pages["en"].set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        for address in addresses:
            pages["en"].goto(address)
            assert pages["en"].evaluate("document.documentElement.scrollWidth") <= PHONE[0], address
