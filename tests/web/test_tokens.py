"""The colours: every ratio the specification promises (section 4), and no colour stands anywhere else."""

import re
from collections.abc import Mapping

import pytest

from console.web.rendering import HERE, TEMPLATES

STATIC = HERE / "static"
TOKENS = (STATIC / "tokens.css").read_text("utf-8")
COLOURS: Mapping[str, str] = dict(re.findall(r"--xj-([a-z0-9-]+):\s*(#[0-9A-F]{6});", TOKENS))
OURS = sorted(one for one in STATIC.glob("*.css") if one.name != "tokens.css")
_LITERAL = re.compile(r"#[0-9a-fA-F]{3,8}\b(?=[;\s\"',)])|\b(?:rgba?|hsla?|oklch|hwb|lab|lch)\(")
_NAMED = re.compile(
    r"(?:color|background|border[a-z-]*|fill|stroke|outline):[^;]*(?<![\w-])(white|black|red|green|blue|gr[ae]y)(?![\w-])"
)


def _light(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: str, other: str) -> float:
    """The contrast of two colours of the file."""
    lights = sorted((_light(COLOURS[one]), _light(COLOURS[other])))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize(
    ("word", "ground", "promised"),
    [
        ("ink", "surface", 16.4), ("ink-2", "surface", 7.4), ("ink-3", "surface", 5.4),
        ("ink", "page", 15.1), ("ink-2", "page", 6.7), ("ink-3", "page", 5.0),
        ("primary", "surface", 6.9), ("on-primary", "primary", 6.9),
        ("run", "run-bg", 7.1), ("ok", "ok-bg", 6.8), ("ok-plain", "surface", 6.1),
        ("bad", "bad-bg", 7.0), ("bad-plain", "surface", 6.5),
        ("warn", "warn-bg", 6.8), ("warn-plain", "surface", 6.4),
        ("return", "return-bg", 6.5), ("pause", "pause-bg", 6.4),
        ("neutral", "neutral-bg", 7.6), ("stop", "stop-bg", 7.4), ("disabled", "disabled-bg", 6.1),
        ("bar", "bar-bg", 11.6), ("rehearsal", "rehearsal-bg", 8.3), ("line-2", "surface", 3.2),
    ],
)  # fmt: skip
def test_the_promised_contrast_is_kept(word, ground, promised):
    assert ratio(word, ground) == pytest.approx(promised, abs=0.06)


@pytest.mark.parametrize(
    ("word", "ground"),
    [
        ("bar", "bar-here"), ("white", "bar-here"), ("bar", "bar-field"), ("white", "bar-bg"), ("bar-bg", "white"),
        ("on-primary", "primary-dark"), ("on-primary", "seal"), ("primary", "page"), ("primary", "run-bg"),
        ("primary", "quiet-bg"), ("ink-2", "quiet-bg"), ("ink-2", "run-bg"), ("ink-2", "neutral-bg"),
        ("ok-plain", "ok-bg"), ("bad-plain", "bad-bg"), ("warn-plain", "warn-soft"), ("ink", "warn-soft"),
        ("ok-plain", "quiet-bg"), ("bad-plain", "quiet-bg"), ("warn-plain", "quiet-bg"), ("return", "surface"),
        ("white", "ink"),
    ],
)  # fmt: skip
def test_every_other_pair_of_words_and_ground_can_be_read(word, ground):
    assert ratio(word, ground) >= 4.5


@pytest.mark.parametrize(("line", "ground"), [("bar-line", "bar-bg"), ("primary", "page"), ("bad-plain", "bad-bg")])
def test_what_frames_a_control_can_be_seen(line, ground):
    assert ratio(line, ground) >= 3


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_no_style_sheet_but_the_tokens_names_a_colour(file):
    text = re.sub(r"/\*.*?\*/", "", file.read_text("utf-8"), flags=re.DOTALL)

    assert [*_LITERAL.findall(text), *_NAMED.findall(text)] == []


@pytest.mark.parametrize("file", sorted(TEMPLATES.rglob("*.html")), ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_no_template_names_a_colour(file):
    text = re.sub(r"href=\"[^\"]*\"|\{[%{#].*?[%}#]\}", "", file.read_text("utf-8"), flags=re.DOTALL)

    assert _LITERAL.findall(text) == []


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_a_style_sheet_uses_only_tokens_that_exist(file):
    own = set(re.findall(r"(--[a-z0-9-]+)\s*:", TOKENS + file.read_text("utf-8")))
    used = set(re.findall(r"var\((--xj-[a-z0-9-]+)", file.read_text("utf-8")))

    assert sorted(used - own) == []


@pytest.mark.parametrize("file", OURS, ids=lambda file: file.name)
def test_nothing_slants_and_no_letters_are_spaced(file):
    text = file.read_text("utf-8")

    assert re.findall(r"font-style:\s*(?:italic|oblique)|letter-spacing:(?!\s*normal)[^;]+", text) == []
    assert set(re.findall(r"font-weight:\s*([^;]+);", text)) <= {"400", "600"}


def test_the_red_of_the_seal_is_the_red_of_what_is_bad_and_nothing_elses():
    assert [name for name, value in COLOURS.items() if value == COLOURS["seal"]] == ["bad-plain", "seal", "chart-sole"]
