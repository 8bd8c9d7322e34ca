"""Trees into models: every complaint of pydantic becomes a placed fault with a hint."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from engine.errors import nearest
from engine.loading.nodes import Node, Place
from engine.loading.positions import Finding

Model = TypeVar("Model", bound=BaseModel)
Found = list[tuple[Place, Finding]]

_WORD = re.compile(r"[\w.\-\[\]]+\Z")
_EXPECTED_WORDS = re.compile(r"'([^']+)'")


def shaped(model: type[Model], node: Node, found: Found) -> Model | None:
    """The value of a tree, or nothing; what does not fit is added to `found`, each once."""
    try:
        return model.model_validate(node.plain())
    except ValidationError as error:
        seen: set[tuple[Place, str]] = set()
        for one in error.errors(include_url=False):
            place, finding = _finding(model, node, one)
            # A union complains once per branch; the first says enough, unless keys are missing.
            mark = (place, finding.message if finding.code == "missing-key" else finding.code)
            if mark not in seen:
                seen.add(mark)
                found.append((place, finding))
        return None


def _finding(model: type[BaseModel], node: Node, error: ErrorDetails) -> tuple[Place, Finding]:
    path, kind = error["loc"], error["type"]
    if kind == "extra_forbidden":
        return node.place_of_key(path), _unknown_key(model, path)
    if kind == "missing":
        message = f"'{path[-1]}' is required here."
        return node.at(path[:-1]).place, Finding(code="missing-key", message=message)
    return node.at(path).place, Finding(code="wrong-value", message=_sentence(error))


def _unknown_key(model: type[BaseModel], path: Sequence[str | int]) -> Finding:
    key = str(path[-1])
    hint = nearest(key, _keys_at(model, path[:-1]))
    if not _WORD.match(key):
        hint = " If this is part of an expression, quote the whole expression."
    return Finding(code="unknown-key", message=f"no key '{key}' here.{hint}")


def _sentence(error: ErrorDetails) -> str:
    given = error["input"]
    expected = str(error.get("ctx", {}).get("expected", ""))
    if expected:
        hint = nearest(str(given), _EXPECTED_WORDS.findall(expected))
        return f"expected {expected}, not {given!r}.{hint}"
    message = error["msg"].removeprefix("Value error, ")
    return f"{message[0].lower()}{message[1:]}, not {given!r}." if _is_short(given) else f"{message}."


def _is_short(given: object) -> bool:
    return isinstance(given, str | int | bool) or given is None


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> tuple[str, ...]:
    here: object = model
    for step in path:
        here = _inside(here, str(step))
    part = _model_in(here)
    if part is None:
        return ()
    return tuple(one.alias or name for name, one in part.model_fields.items())


def _inside(annotation: object, step: str) -> object:
    """The annotation of what stands under a key or index of a value so annotated."""
    part = _model_in(annotation)
    if part is not None:
        for name, one in part.model_fields.items():
            if step in {name, one.alias}:
                return one.annotation
        return annotation
    for branch in _branches(annotation):
        arguments = typing.get_args(branch)
        if typing.get_origin(branch) is tuple and arguments:
            return arguments[0]
        if arguments and typing.get_origin(branch) in {Mapping, dict}:
            return arguments[1]
    return annotation


def _model_in(annotation: object) -> type[BaseModel] | None:
    for branch in _branches(annotation):
        if isinstance(branch, type) and issubclass(branch, BaseModel):
            return branch
    return None


def _branches(annotation: object) -> tuple[object, ...]:
    """What an annotation may stand for, without `Annotated` and with unions taken apart."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _branches(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return tuple(one for part in typing.get_args(annotation) for one in _branches(part))
    return (annotation,)
