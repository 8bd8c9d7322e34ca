"""The templates keep what the policy and the pieces want: nothing inline, one head line a page, icons that exist."""

import re
from functools import lru_cache
from pathlib import Path

import pytest
from jinja2 import Environment, FileSystemLoader, nodes

from console.web.rendering import HERE, TEMPLATES

FILES = sorted(TEMPLATES.rglob("*.html"))
NAMES = [str(file.relative_to(TEMPLATES)) for file in FILES]
STANDS_ALONE = {"layout.html", "broken.html", "busy.html"}
"""What is shown when nothing else can be needs no layout, no session and no icons."""

ENVIRONMENT = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
SPRITE = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (HERE / "static" / "icons.svg").read_text("utf-8")))
_INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|[\"']js:|hx-trigger=\"[^\"]*\["
)
_EXTENDS = re.compile(r'\{%-? extends "([^"]+)"')
_FETCHED = re.compile(r"(?:src|href|action|hx-(?:get|post))=\"(?:https?:)?//")


@lru_cache
def _tree(name: str) -> nodes.Template:
    return ENVIRONMENT.parse((TEMPLATES / name).read_text("utf-8"))


def _extends(name: str) -> str | None:
    found = _EXTENDS.match((TEMPLATES / name).read_text("utf-8"))
    return found[1] if found else None


PAGES = [name for name in NAMES if _extends(name) and not name.startswith("layout") and "/_" not in name]


def _included(name: str) -> set[str]:
    """A template with those it includes and extends, but the layouts: what stands on the page together."""
    tree = _tree(name)
    given = [
        *(one.template for one in tree.find_all(nodes.Include)),
        *(one.template for one in tree.find_all(nodes.Extends)),
    ]
    named = {one.value for one in given if isinstance(one, nodes.Const) and not one.value.startswith("layout")}
    return {name}.union(*map(_included, named))


@pytest.mark.parametrize("name", NAMES)
def test_a_template_has_nothing_inline_and_fetches_nothing_from_elsewhere(name):
    text = (TEMPLATES / name).read_text("utf-8")

    assert [*_INLINE.findall(text), *_FETCHED.findall(text)] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_page_of_a_layout_or_a_part_of_pages(name):
    is_whole = "<html" in (TEMPLATES / name).read_text("utf-8")

    assert is_whole == (name in STANDS_ALONE)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_one_head_line(name):
    """Branches may each have one; what is a part of another page at times has a smaller one there."""
    text = "".join((TEMPLATES / one).read_text("utf-8") for one in _included(name))

    assert re.search(r"<h1|else \"h1\"", text)
    assert "{% block title %}" in (TEMPLATES / name).read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_posts_carries_the_token_of_its_page(name):
    text = (TEMPLATES / name).read_text("utf-8")
    forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL)

    assert [one[:120] for one in forms if not re.search(r"form_token\(\)|hidden\(|in hidden|_token", one)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_icon_is_in_the_sprite(name):
    used = {
        text.value
        for call in _tree(name).find_all(nodes.Call)
        for text in _icon_arguments(call)
        if isinstance(text, nodes.Const) and isinstance(text.value, str)
    }

    assert sorted(used - SPRITE) == []


def _icon_arguments(call: nodes.Call) -> list[nodes.Expr]:
    """What names an icon: the first word of `icon`, the second of `badge` and `strip`."""
    place = {"icon": 0, "badge": 1, "strip": 1, "blocked": 0}.get(getattr(call.node, "name", ""))
    return [] if place is None or len(call.args) <= place else _consts(call.args[place])


def _consts(expression: nodes.Expr) -> list[nodes.Expr]:
    if isinstance(expression, nodes.CondExpr):
        return [*_consts(expression.expr1), *([] if expression.expr2 is None else _consts(expression.expr2))]
    return [expression]


@pytest.mark.parametrize("name", NAMES)
def test_an_icon_alone_is_never_the_name_of_a_button(name):
    text = (TEMPLATES / name).read_text("utf-8")
    buttons = re.findall(r"<(button|a)\b([^>]*)>(.*?)</\1>", text, re.DOTALL)

    assert [
        inner
        for _, given, inner in buttons
        if re.fullmatch(r"\s*\{\{ icon\([^}]*\}\}\s*", inner) and "aria-label" not in given
    ] == []


@pytest.mark.parametrize("file", sorted((HERE / "static").glob("*.js")), ids=lambda file: file.name)
def test_our_scripts_make_no_code_and_no_styles(file: Path):
    text = file.read_text("utf-8")

    assert (
        re.findall(
            r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write|\.style\b|setAttribute\(\"style", text
        )
        == []
    )
