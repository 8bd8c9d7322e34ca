"""Papers of a case in a browser: nothing that was handed in is ever shown as what it claims to be."""

from hashlib import sha256
from io import BytesIO

import httpx
import orjson
import pytest
from PIL import Image, PngImagePlugin

from console.demo import evening, school
from engine.records import case_number
from engine.store import documents
from engine.store.documents import DocumentRow
from tests.exchange.pictures import picture, png_claiming
from tests.web.conftest import Site

_PHOTO = "E-PHOTO"
_SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
_HTML = b"<!doctype html><script>alert(1)</script>"


def _paper(site: Site, body: bytes, kind: str = "jpeg", name: str = _PHOTO) -> str:
    """Put bytes on a case at the site of the evening as if they had been taken in; how they are addressed."""
    digest = sha256(body).hexdigest()
    with site.house.desks.borrowed() as office:
        connection = office.desk.connection
        sql = "SELECT id FROM cases WHERE unit = ? AND state = 'applied' ORDER BY id"
        row = connection.execute(sql, (evening.SITE,)).fetchone()
        assert row is not None
        documents.add_file(connection, digest, body)
        documents.add(connection, [DocumentRow(row[0], 1, name, digest, {"kind": kind, "bytes": len(body)})])
    return f"{case_number(row[0])}.1.{name}"


def _looks(site: Site, paper: str) -> list[tuple[str, str]]:
    with site.house.desks.borrowed() as office:
        rows = office.desk.connection.execute("SELECT body FROM event ORDER BY id").fetchall()
    events = (orjson.loads(bytes(row[0])) for row in rows)
    chain = f"case/{paper.partition('.')[0]}"
    return [
        (one["actor"], one["data"]["trigger"]) for one in events if one["kind"] == "viewed" and one["chain"] == chain
    ]


def _is_harmless(answer: httpx.Response) -> bool:
    """Whether a browser can only save it."""
    policy = answer.headers["content-security-policy"]
    return (
        answer.headers["content-disposition"].startswith("attachment;")
        and answer.headers["content-type"] == "application/octet-stream"
        and answer.headers["x-content-type-options"] == "nosniff"
        and "sandbox" in policy
        and "default-src 'none'" in policy
    )


def test_the_original_is_saved_byte_for_byte_and_the_look_is_kept(site: Site) -> None:
    body = picture()
    paper = _paper(site, body)
    answer = site.signed_in(evening.OPERATOR).get(f"/evidence/{paper}")

    assert answer.status_code == 200
    assert answer.content == body
    assert _is_harmless(answer)
    number = paper.partition(".")[0]
    assert answer.headers["content-disposition"] == f'attachment; filename="{_PHOTO}-{number}-1.jpg"'
    assert _looks(site, paper) == [(evening.OPERATOR, f"view:{_PHOTO}")]


def test_a_picture_on_a_page_is_made_anew_without_what_the_camera_wrote(site: Site) -> None:
    image, out, told = Image.new("RGB", (300, 200), "red"), BytesIO(), PngImagePlugin.PngInfo()
    told.add_text("Comment", "from the phone of somebody")
    image.save(out, "PNG", pnginfo=told)
    paper = _paper(site, out.getvalue() + _HTML, "png")
    answer = site.signed_in(evening.OPERATOR).get(f"/evidence/{paper}/page/1.png")

    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert b"somebody" not in answer.content
    assert b"<script" not in answer.content
    with Image.open(BytesIO(answer.content)) as shown:
        assert (shown.size, shown.getpixel((5, 5)), shown.info) == ((300, 200), (255, 0, 0), {})
    assert len(_looks(site, paper)) == 1


def test_a_picture_stands_upright_and_can_be_turned(site: Site) -> None:
    lying = _paper(site, picture(size=(300, 200), orientation=6))
    person = site.signed_in(evening.OPERATOR)

    sizes = []
    for turn in ("", "?turn=90"):
        with Image.open(BytesIO(person.get(f"/evidence/{lying}/page/1.png{turn}").content)) as shown:
            sizes.append(shown.size)
    assert sizes == [(200, 300), (300, 200)]
    assert person.get(f"/evidence/{lying}/page/1.png?turn=45").status_code == 404


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(_SVG, "jpeg", id="svg"),
        pytest.param(_HTML, "png", id="html"),
        pytest.param(b"GIF89a" + _HTML, "jpeg", id="gif and html"),
        pytest.param(picture()[:900], "jpeg", id="truncated jpeg"),
        pytest.param(picture("PNG")[:900], "png", id="truncated png"),
        pytest.param(png_claiming(30_000, 30_000), "png", id="a billion pixels"),
        pytest.param(b"%PDF-1.7\n" + _HTML, "pdf", id="pdf"),
        pytest.param(_HTML, "unknown", id="whatever"),
    ],
)
def test_what_is_no_sound_picture_is_only_ever_saved_and_the_house_goes_on(site: Site, body: bytes, kind: str) -> None:
    paper = _paper(site, body, kind)
    person = site.signed_in(evening.OPERATOR)
    shown, saved = person.get(f"/evidence/{paper}/page/1.png"), person.get(f"/evidence/{paper}")

    assert shown.status_code == 415
    assert b"<script>alert" not in shown.content
    assert _is_harmless(saved)
    assert saved.content == body
    assert person.get("/healthz").status_code == 200


def test_a_file_that_cannot_be_shown_says_so_and_offers_the_original(site: Site) -> None:
    paper = _paper(site, b"%PDF-1.7\n", "pdf", "E-F04")
    html = site.signed_in(evening.OPERATOR).get(f"/evidence/{paper}/look").text

    assert "PDF 文件不能在页面上看，请下载后打开" in html
    assert f'href="/evidence/{paper}" download' in html
    assert "<img" not in html


def test_a_paper_can_be_compared_with_another_of_the_case(site: Site) -> None:
    paper, other = _paper(site, picture()), _paper(site, picture("PNG"), "png", "E-IC-ID")
    html = site.signed_in(evening.OPERATOR).get(f"/evidence/{paper}/look?beside={other}&turn=90").text

    assert f'src="/evidence/{paper}/page/1.png?turn=90"' in html
    assert f'src="/evidence/{other}/page/1.png"' in html
    assert _looks(site, paper) == []


@pytest.mark.parametrize("login", [school.operator(school.SITES[0].code), "system-admin"])
def test_papers_of_a_case_one_may_not_know_of_are_not_there(site: Site, login: str) -> None:
    paper = _paper(site, picture())
    person = site.signed_in(login)

    assert {person.get(f"/evidence/{paper}{one}").status_code for one in ("", "/page/1.png", "/look")} == {404}
    assert _looks(site, paper) == []


@pytest.mark.parametrize("which", ["", ".1.E-PHOTO", "{}.1", "{}.99.E-PHOTO", "{}.1.E-NOWHERE", "{}.x.E-PHOTO"])
def test_a_paper_that_is_not_there_is_not_found(site: Site, which: str) -> None:
    number = _paper(site, picture()).partition(".")[0]
    assert site.signed_in(evening.OPERATOR).get(f"/evidence/{which.format(number)}").status_code == 404


def test_the_page_of_a_case_shows_no_picture_by_itself(site: Site) -> None:
    paper = _paper(site, picture())
    html = site.signed_in(evening.OPERATOR).get(f"/cases/{paper.partition('.')[0]}").text

    assert f'href="/evidence/{paper}/look"' in html
    assert "<img" not in html
    assert _looks(site, paper) == []
