"""A page that one test after the other is given."""

from console.demo import evening
from tests.web.browser.conftest import PHONE, WIDE, Pages
from tests.web.conftest import Site


def test_a_page_that_is_used_again_knows_nothing_of_who_had_it(kept_pages: Pages, read_site: Site) -> None:
    address = read_site.address
    with kept_pages.lent(address, PHONE) as used:
        cookie = read_site.signed_in(evening.APPROVER).cookie or ""
        used.context.add_cookies([{"name": read_site.house.cookie, "value": cookie, "url": address}])
        used.goto("/queue/todo")
        used.evaluate("() => { localStorage.kept = 'yes'; sessionStorage.kept = 'yes'; window.kept = 'yes' }")
        used.emulate_media(media="print")
        used.route("**/me", lambda route: route.abort())

    with kept_pages.lent(address, WIDE) as again:
        assert again is used
        assert again.context.cookies() == []
        again.goto("/me")
        assert again.url.startswith(f"{address}/sign-in")
        left = "[localStorage.kept, sessionStorage.kept, window.kept].filter((one) => one)"
        assert again.evaluate(left) == []
        assert again.evaluate("[matchMedia('print').matches, innerWidth]") == [False, WIDE[0]]


def test_a_page_that_was_closed_or_opened_another_is_given_to_nobody(kept_pages: Pages, read_site: Site) -> None:
    with kept_pages.lent(read_site.address, WIDE) as closed:
        closed.close()
    with kept_pages.lent(read_site.address, WIDE) as opener:
        opener.context.new_page()

    with kept_pages.lent(read_site.address, WIDE) as another:
        assert another not in {closed, opener}
