"""姓名拼音: the text by which people are put in order, so that 曾 stands between 岑 and 查, and 单 beside 商. Pure.

Rule 1: a surname is read as a surname (GB/T 28039-2011), the rest as a word is. Two people of one surname may say it
    differently (盖, 乐, 覃): where a record carries 姓名拼音 (JY/T 1002, XMPY), its characters are read as it says.
Rule 2: first the letters syllable by syllable, then the tones, then the characters: the order is total, and the same
    in every database that compares text byte by byte.
Rule 3: nothing is refused. What has no sound stands as it is, behind all letters: an old or private character, a
    script of another people. A name is never mended here, only put in its place.

The text holds the name, so it is personal wherever the name is. It is kept beside it and made anew from it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import NamedTuple

from engine.records import Json

NAME, SPELLED = "name", "name_pinyin"
"""The facts that say how somebody is called, and how that is said."""
NAMES = frozenset({NAME, SPELLED})
LONGEST = 80
"""So many characters of a name count; an index of PostgreSQL takes no long text."""
_SYLLABLES = "'"  # between syllables: behind the gap that ends them all, before every letter

_SINGLE = (
    "秘bi4 薄bo2 卜bu3 种chong2 種chong2 揣chuai3 都du1 干gan1 盖ge3 蓋ge3 葛ge3 句gou1 观guan4 炅gui4 呙guo1"
    " 过guo1 過guo1 哈ha3 侯hou2 华hua4 華hua4 纪ji3 紀ji3 角jue2 阚kan4 缪miao4 繆miao4 那na1 佴nai4 能nai4"
    " 粘nian2 乜nie4 区ou1 區ou1 朴piao2 繁po2 覃qin2 仇qiu2 阙que1 闕que1 任ren2 撒sa3 单shan4 單shan4 召shao4 少shao4"
    " 折she2 洗xian3 肖xiao1 解xie4 郇xun2 燕yan1 要yao1 於yu1 乐yue4 樂yue4 员yun4 員yun4 曾zeng1 查zha1"
    " 翟zhai2 祭zhai4 占zhan1"
)
_DOUBLE = (
    "万俟mo4qi2 萬俟mo4qi2 尉迟yu4chi2 尉遲yu4chi2 长孙zhang3sun1 長孫zhang3sun1 澹台tan2tai2 澹臺tan2tai2"
    " 令狐ling2hu2 拓跋tuo4ba2 鲜于xian1yu2 鮮于xian1yu2 夹谷jia2gu3 宰父zai3fu3 子车zi3ju1 亓官qi2guan1"
)


class Sound(NamedTuple):
    """How one character is said, or one word of letters: ü as v; tone 0 where there is none."""

    letters: str
    tone: str = "0"


def _sound(said: str) -> Sound:
    """A syllable with its tone behind it; anything else is no sound, and stands for itself."""
    found = re.fullmatch(r"([^\W\d_]+)([1-5])", said)
    return Sound(said) if found is None else Sound(found[1], found[2])


SURNAMES: Mapping[str, tuple[Sound, ...]] = {
    one[1]: tuple(map(_sound, re.findall(r"[a-z]+\d", one[2])))
    for one in re.finditer(r"([^a-z\s]+)(\w+)", f"{_SINGLE} {_DOUBLE}")
}
"""Surnames that are said otherwise than their characters mostly are, with tones.

Source: 现代汉语词典, 7th edition, where it says 姓; of two such readings the more common one (Rule 1).
单于 is not among them: a 单 whose given name begins with 于 is met more often.
"""


def order_of(facts: Mapping[str, Json]) -> str:
    """The text by which a student is put in order, from what is known; empty where no name is."""
    name, spelled = facts.get(NAME), facts.get(SPELLED)
    return order_key(name if isinstance(name, str) else "", spelled if isinstance(spelled, str) else "")


def order_key(name: str, spelled: str = "") -> str:
    """The text by which a name is put in order, at most `LONGEST` characters of it; empty for an empty name.

    Args:
        name: As it is written; with middle dots, in Latin letters, or with characters nobody has a sound for.
        spelled: How it is said, with or without gaps and tones; where it cannot be the name's sound, it stands alone.
    """
    text = _tidied(name)
    if not text:
        return ""
    words = [*_words(text)]
    sounds = (_spelled(words, _tidied(spelled)) if spelled else None) or [*_sounds(words)]
    return f"{_SYLLABLES.join(map(_letters, sounds))} {''.join(one.tone for one in sounds)} {text}"


def _tidied(text: str) -> str:
    """A name as it is compared: one form of each letter, nothing unseen, no gap that only fills a column (张　三)."""
    seen = (one for one in unicodedata.normalize("NFKC", text) if one.isspace() or _kind(one) != "unseen")
    parts = "".join(seen).split()
    stand_alone = all(_kind(one) == "character" for part in parts for one in part)
    return ("" if stand_alone else " ").join(parts)[:LONGEST].strip()


def _kind(one: str) -> str:
    """Of which kind a character is: it stands for a syllable, is a letter of a word, is not seen, or parts words."""
    category = unicodedata.category(one)
    if category in ("Lo", "Co", "Cn"):  # those of a newer standard than this Python's, and of a school's own font
        return "character"
    return "unseen" if category in ("Cc", "Cf", "Cs") else "letter" if category[0] in "LMN" else "gap"


def _words(text: str) -> Iterator[str]:
    """The runs of characters and the words of letters of a name; what parts them is left out."""
    for kind, run in groupby(text, _kind):
        if kind == "character":
            yield "".join(run)
        elif kind == "letter" and (word := _plain("".join(run))):
            yield word


def _plain(text: str) -> str:
    """Letters without case and accents, ü as v."""
    apart = unicodedata.normalize("NFD", text.casefold()).replace("u\u0308", "v").replace("u:", "v")
    return "".join(one for one in apart if not unicodedata.combining(one))


def _is_characters(word: str) -> bool:
    return _kind(word[0]) == "character"


def _sounds(words: Sequence[str]) -> Iterator[Sound]:
    """The sounds of a name; where dots part it (阿依古丽·买买提) it does not begin with a surname."""
    has_surname = not any(map(_is_characters, words[1:]))
    for place, word in enumerate(words):
        if not _is_characters(word):
            yield Sound(word)
            continue
        surname = _surname(word) if has_surname and not place else ""
        yield from SURNAMES.get(surname, ())
        yield from _said(word[len(surname) :])


def _surname(word: str) -> str:
    """The surname of the table with which a run of characters begins; empty where it begins with none."""
    return next((word[:size] for size in (2, 1) if word[:size] in SURNAMES), "")


def _said(word: str) -> Sequence[Sound]:
    """How a run of characters is said: as a word where it is one (重阳, 朝阳), else character by character."""
    from pypinyin.constants import PHRASES_DICT  # noqa: PLC0415 it takes a while: not before somebody is named

    if word in PHRASES_DICT:
        return [one[0] for one in _read(word)]
    return [_readings(one)[0] for one in word]


@lru_cache(maxsize=8192)
def _readings(character: str) -> Sequence[Sound]:
    """Whatever a character may be said like, the most common first; one without a sound stands for itself."""
    [every] = _read(character, heteronym=True)
    return every


def _read(word: str, *, heteronym: bool = False) -> Sequence[Sequence[Sound]]:
    from pypinyin import Style, pinyin  # noqa: PLC0415 as above

    said = pinyin(word, style=Style.TONE3, heteronym=heteronym, neutral_tone_with_five=True)
    return [[_sound(text) for text in one] for one in said]


def _spelled(words: Sequence[str], spelled: str) -> Sequence[Sound] | None:
    """The sounds of a name as it is spelled; the words spelled where no reading fits, None where there are none."""
    said = [one for one in re.split(r"[\W\d_]+", _plain(spelled)) if one]
    options: list[Sequence[Sound]] = []
    for word in words:
        options += [_readings(one) for one in word] if _is_characters(word) else [[Sound(word)]]
    surname = _surname(words[0]) if words else ""
    options[: len(surname)] = [
        [sound, *others] for sound, others in zip(SURNAMES.get(surname, ()), options, strict=False)
    ]
    return _fitted(options, "".join(said)) or [*map(Sound, said)] or None


def _fitted(options: Sequence[Sequence[Sound]], letters: str) -> Sequence[Sound] | None:
    """One reading of each that together are these letters; None where there are none such.

    嗯 is n and ng, 佮 ge and e: such a name can be parted in very many ways, so what led nowhere is remembered.
    """
    in_vain: set[tuple[int, int]] = set()

    def fit(place: int, at: int) -> tuple[Sound, ...] | None:
        """The readings from a place on for the letters from there on."""
        if place == len(options):
            return () if at == len(letters) else None
        if (place, at) in in_vain:
            return None
        for sound in {one.letters: one for one in reversed(options[place])}.values():
            plain = sound.letters
            for spelling in dict.fromkeys((plain, plain.replace("v", "yu"), plain.replace("v", "u"))):
                if letters.startswith(spelling, at) and (rest := fit(place + 1, at + len(spelling))) is not None:
                    return (sound, *rest)
        in_vain.add((place, at))
        return None

    return fit(0, 0)


def _letters(sound: Sound) -> str:
    """The letters of a sound as they are compared: ü with u, and behind it (鲁, 吕, 栾)."""
    letters = sound.letters
    return f"{letters.replace('v', 'u')}*" if sound.tone != "0" and "v" in letters else letters
