"""Charts: drawn from the numbers beside them, in colours of the token file, with nothing a strict policy refuses."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.web.charts import Burn, BurnWords, Part, bar, burn_down, colour, palette, spark, swatch

COLOURS = ("chart-1", "chart-2", "chart-ready", "chart-missing")
FIRST = date(2024, 4, 15)
WORDS = BurnWords(
    title="燃尽", description="今天 412", plan="计划", now="今天 412", left="约剩 <244>", due="截止", off="休",
    made_up="班", day=lambda day: f"{day.month}月{day.day}日",
)  # fmt: skip


def widths(drawn: str) -> list[float]:
    return [float(one) for one in re.findall(r'<rect x="[\d.]+" width="([\d.]+)"', drawn)]


@given(lengths=st.lists(st.integers(0, 5000), min_size=1, max_size=4), spare=st.integers(0, 5000))
def test_the_parts_of_a_bar_are_as_long_as_their_numbers_say(lengths: list[int], spare: int):
    parts = [Part(token, token, length) for token, length in zip(COLOURS, lengths, strict=False)]
    whole = sum(lengths) + spare
    drawn = bar(parts, whole, track=None)
    shown = [length for length in lengths if length]
    assert len(widths(drawn)) == (len(shown) if whole else 0)
    for width, length in zip(widths(drawn), shown, strict=True):
        assert width == pytest.approx(100 * length / whole, abs=0.06)
    assert all(f"{token} {length}" in drawn for token, length in zip(COLOURS, lengths, strict=False))


def test_what_is_called_like_markup_is_text_in_the_drawing():
    drawn = bar([Part("chart-1", "<b>&", 1)], 2)
    assert "<b>" not in drawn
    assert "&lt;b&gt;&amp;" in drawn
    assert "&lt;244&gt;" in burn_down(burning(), WORDS)


def test_a_colour_that_is_no_token_is_said_at_once():
    with pytest.raises(KeyError):
        colour("mauve")


def burning(**changes: object) -> Burn:
    days = [(FIRST + timedelta(days=count), 1140 - 26 * count) for count in range(29)]
    plan = [(FIRST + timedelta(days=count), 1140 - 38 * count) for count in range(31)]
    said: dict[str, object] = {
        "days": days, "plan": plan, "due": date(2024, 5, 15), "left": 244,
        "off": [(date(2024, 5, 1), date(2024, 5, 5), "劳动节")], "made_up": [date(2024, 5, 11)], **changes,
    }  # fmt: skip
    return Burn(**said)  # type: ignore[arg-type]  # a test's own words


def test_every_drawing_uses_the_colours_of_the_tokens_and_no_style():
    values = set(palette().values())
    for drawn in (burn_down(burning(), WORDS), bar([Part("chart-1", "a", 1)], 1), spark([3, 2, 2], "x"), swatch("bad")):
        found = set(re.findall(r"#[0-9A-Fa-f]{6}", drawn))
        assert found
        assert found <= values
        assert "style" not in drawn
        assert "class" in drawn


def test_the_line_says_holidays_worked_weekends_today_the_deadline_and_what_will_be_left():
    drawn = burn_down(burning(), WORDS)
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", drawn)
    for one in ("劳动节 休", "班", "计划", "今天 412", "截止", "约剩 &lt;244&gt;", "4月15日", "5月13日"):
        assert one in texts
    assert '<title id="burn-title">燃尽</title>' in drawn


def test_nothing_is_foretold_where_it_is_too_early_or_too_late():
    assert "约剩" not in burn_down(burning(left=None), WORDS)
    assert "约剩" not in burn_down(burning(due=date(2024, 5, 1)), WORDS)


def test_one_day_is_enough_to_draw_and_nobody_left_is_a_line_on_the_ground():
    drawn = burn_down(burning(days=[(FIRST, 0)], plan=[], off=[], made_up=[], left=0), WORDS)
    assert "NaN" not in drawn
    assert drawn.startswith("<svg")


@given(values=st.lists(st.integers(0, 10**6), max_size=8))
def test_a_spark_never_leaves_its_frame(values: list[int]):
    points = re.findall(r"([\d.-]+),([\d.-]+)", re.search(r'points="([^"]*)"', spark(values, "x"))[1])  # type: ignore[index]
    assert len(points) == len(values)
    assert all(0 <= float(x) <= 72 and 0 <= float(y) <= 20 for x, y in points)


def test_a_plan_of_one_day_is_no_line_and_has_no_name():
    drawn = burn_down(burning(days=[(FIRST, 69)], plan=[(FIRST, 69)], due=FIRST, off=[], made_up=[], left=None), WORDS)
    assert "计划" not in drawn
