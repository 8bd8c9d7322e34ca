"""Pages out of templates: whole, or one block of them where the browser asked for a part only (htmx)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


class Pages:
    """The templates of the house, compiled once.

    Args:
        words: What templates may call, by name: functions that take what they need of the visit as arguments.
    """

    def __init__(self, words: Mapping[str, Callable[..., object]] | None = None) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(words or {})

    @property
    def environment(self) -> Environment:
        """For those who register filters and for tests that look at every template."""
        return self._environment

    def whole(self, template: str, values: Mapping[str, object]) -> str:
        """A page.

        Raises:
            jinja2.UndefinedError: If the template asks for what is not given.
        """
        return self._environment.get_template(template).render(values)

    def block(self, template: str, name: str, values: Mapping[str, object]) -> str:
        """One block of a page, as it would stand in the page.

        Raises:
            KeyError: If the template has no block of that name.
        """
        found = self._environment.get_template(template)
        context = found.new_context(dict(values))
        next(iter(found.root_render_func(context)), None)  # runs what stands outside blocks: imports, settings
        return "".join(found.blocks[name](context))


def of_visit(function: Callable[..., object]) -> Callable[..., object]:
    """A template function that wants the visit first: `{{ moment(one.at) }}` calls `function(visit, one.at)`."""

    @pass_context
    def call(context: Context, *args: object, **kwargs: object) -> object:
        return function(context["visit"], *args, **kwargs)

    return call
