"""Letters in words, and words on pages; what is done with templates, whoever wrote them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from jinja2.sandbox import SandboxedEnvironment

from notifications.messages.catalogue import DIGEST, says
from notifications.messages.envelopes import Unmailable
from notifications.messages.letters import Letter, Notice
from notifications.messages.sandbox import FAILURES
from notifications.messages.variables import (
    Both,
    DigestWords,
    SaidNotice,
    SingleWords,
    by_urgency,
    digest_words,
    letter_words,
    notice_words,
)


class Writing(NamedTuple):
    """A letter in words, and the folder of templates that says it."""

    folder: str
    words: SingleWords | DigestWords


class Writer:
    """Puts letters into words, with one set of templates, for one database."""

    def __init__(self, templates: SandboxedEnvironment, url: str, *, is_rehearsal: bool) -> None:
        self._templates = templates
        self._url = url
        self._is_rehearsal = is_rehearsal

    def written(self, letter: Letter) -> Writing:
        """A letter in words: as its message if it has one notice, else as a digest.

        Raises:
            Unmailable: If a sentence cannot be made.
        """
        common = letter_words(letter, self._url, is_rehearsal=self._is_rehearsal)
        if len(letter.notices) == 1:
            (notice,) = letter.notices
            return Writing(notice.message, {**common, **self._said(notice, letter.at)})
        return Writing(DIGEST, digest_words([self._said(one, letter.at) for one in by_urgency(letter)], common))

    def page(self, template: str, words: Mapping[str, object]) -> str:
        """A page as a template has it.

        Raises:
            Unmailable: If it has no page for these words.
        """
        try:
            return self._templates.get_template(template).render(words)
        except FAILURES as problem:
            raise Unmailable(
                f"模板 {template} 出错：{problem}。请用 xueji messages check 检查。"
                f" The template {template} failed; look at it with 'xueji messages check'."
            ) from problem

    def _said(self, notice: Notice, at: datetime) -> SaidNotice:
        words = notice_words(notice, at, self._url)
        return {**words, "says": sentence(self.page(says(notice.message), words))}


def sentence(page: str) -> Both:
    """The two lines of a page as one sentence in both languages.

    Raises:
        Unmailable: If there are not two.
    """
    lines = [line.strip() for line in page.splitlines() if line.strip()]
    if len(lines) != len(("zh", "en")):
        raise Unmailable(
            "says.txt 应有两行：第一行中文，第二行英文；行末的 {% endif %} 写作 {% endif +%}，否则会吞掉换行。"
            "says.txt has two lines: Chinese, then English; a line that ends with {% endif %} keeps its end only as"
            " {% endif +%}."
        )
    zh, en = lines
    return {"zh": zh, "en": en}
