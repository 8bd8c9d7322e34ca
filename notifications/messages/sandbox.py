"""Jinja templates that can only put text together; run as a script, the process in which overrides are tried.

A sandbox bounds what a template can reach, not what it costs (reliability.md, finding 14): templates that others write
are therefore read and rendered once in a process that may not use much, before they are used here. Reading alone can
cost too much, for `{{ 'x' * 2000000000 }}` is worked out when it is compiled. That process reads JSON from its standard
input, imports nothing of ours, and writes a line of JSON for each template it has read and each page it has rendered.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from traceback import walk_tb
from types import TracebackType
from typing import NotRequired, TypedDict

import orjson
from jinja2 import (
    FunctionLoader,
    StrictUndefined,
    TemplateError,
    TemplateRuntimeError,
    TemplateSyntaxError,
    meta,
    nodes,
)
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_SECONDS = 3
MOST_BYTES_OF_MEMORY = 2**28
MOST_CHARACTERS = 500_000
"""Several times a digest of fifty; mail systems cut what is longer."""


TOO_MUCH = "too much"
"""The fault of a template that is too long, or takes too much memory."""


FAILURES = (TemplateError, ArithmeticError, TypeError, ValueError, RecursionError)
"""What a template can end with that is not a matter of its size."""


class Page(TypedDict):
    """A template, and what it may say."""

    template: str
    variables: Mapping[str, object]


class Asked(TypedDict):
    """What this process is to do: look at the texts, then render the pages with the sources."""

    texts: Mapping[str, str]
    sources: Mapping[str, str]
    pages: Sequence[Page]


class Outcome(TypedDict):
    """What became of a template: its page, or what it speaks of, or what is wrong with it; and where.

    None of these where it was not tried again.

    Attributes:
        text: The page.
        words: Variables it uses, each with its first line.
        named: Templates it builds on, None where they are not named outright, each with its line.
        fault: What is wrong.
    """

    text: NotRequired[str]
    words: NotRequired[list[tuple[str, int]]]
    named: NotRequired[list[tuple[str | None, int]]]
    fault: NotRequired[str]
    template: str
    line: int


def environment(sources: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    """The environment of all templates there are: no file is read, and what is not there is a fault, not a blank.

    Args:
        sources: The templates by name; those ending in .html escape what they are given.
    """

    def load(name: str) -> tuple[str, str, None] | None:
        return (sources[name], name, None) if name in sources else None

    return ImmutableSandboxedEnvironment(
        loader=FunctionLoader(load),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        finalize=_there,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def _there(value: object) -> object:
    """What is written onto a page; what may be absent and is, is asked for first, else people would read None."""
    if value is None:
        raise TemplateRuntimeError("写出的变量可能没有值，请先用 {% if %} 判断 ask first, it may be absent: {% if … %}")
    return value


def look_at(texts: Mapping[str, str]) -> Iterator[Outcome]:
    """What each template speaks of, or what is wrong with how it is written."""
    templates = environment({})
    for name, text in texts.items():
        try:
            tree = templates.parse(text, name)
            unknown = meta.find_undeclared_variables(tree)
            yield {"words": _placed(tree, unknown), "named": _named(tree), "template": name, "line": 1}
        except TemplateSyntaxError as problem:
            yield {"fault": problem.message or "", "template": name, "line": problem.lineno}
        except (MemoryError, RecursionError):
            yield {"fault": TOO_MUCH, "template": name, "line": 1}


def _placed(tree: nodes.Template, names: Iterable[str]) -> list[tuple[str, int]]:
    lines = [(one.name, one.lineno) for one in tree.find_all(nodes.Name)]
    return [(name, min(line for other, line in lines if other == name)) for name in sorted(names)]


def _named(tree: nodes.Template) -> list[tuple[str | None, int]]:
    found: list[tuple[str | None, int]] = []
    for one in tree.find_all(nodes.Stmt):
        match one:
            case (
                nodes.Extends(template=named)
                | nodes.Include(template=named)
                | nodes.Import(template=named)
                | nodes.FromImport(template=named)
            ):
                wanted = named.value if isinstance(named, nodes.Const) else None
                found.append((wanted if isinstance(wanted, str) else None, one.lineno))
            case _:
                pass
    return found


def try_pages(sources: Mapping[str, str], pages: Iterable[Page]) -> Iterator[Outcome]:
    """Render each page, or say what is wrong with it; a template that has failed is not tried again."""
    templates = environment(sources)
    failed: set[str] = set()
    for page in pages:
        name = page["template"]
        outcome = _tried(templates, sources, page) if name not in failed else Outcome(template=name, line=1)
        if "fault" in outcome:
            failed.add(name)
        yield outcome


def _tried(templates: ImmutableSandboxedEnvironment, sources: Mapping[str, str], page: Page) -> Outcome:
    name = page["template"]
    try:
        text = "".join(_at_most(templates.get_template(name).generate(page["variables"])))
    except TemplateSyntaxError as problem:
        return {"fault": problem.message or "", "template": problem.name or name, "line": problem.lineno}
    except FAILURES as problem:
        where, line = _place(problem.__traceback__, sources, name)
        return {"fault": f"{type(problem).__name__}: {problem}", "template": where, "line": line}
    except MemoryError:
        return {"fault": TOO_MUCH, "template": name, "line": 1}
    return {"text": text, "template": name, "line": 1}


def _at_most(pieces: Iterable[str]) -> Iterator[str]:
    """The pieces of a page as long as there is room for them."""
    room = MOST_CHARACTERS
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise MemoryError
        yield piece


def _place(trace: TracebackType | None, sources: Mapping[str, str], page: str) -> tuple[str, int]:
    """The template and line at which rendering stopped, the innermost that is ours."""
    frames = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
    return next((one for one in reversed(frames) if one[0] in sources), (page, 1))


def _limit_resources() -> None:
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - POSIX only

        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES_OF_MEMORY, MOST_BYTES_OF_MEMORY))
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Read `{texts, sources, pages}`, write an outcome a line; what ends the process has no line."""
    _limit_resources()
    asked = orjson.loads(sys.stdin.buffer.read())
    for outcome in chain(look_at(asked["texts"]), try_pages(asked["sources"], asked["pages"])):
        sys.stdout.buffer.write(orjson.dumps(outcome) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
