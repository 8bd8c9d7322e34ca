"""JSON Schema of every kind of definition file, generated from the models that read them.

`python -m engine.loading.schema` writes them to `docs/schema/`, where editors find them by the
first line of each file.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from engine.definition import WorkflowFile
from engine.vocabulary import (
    BatchFile,
    CalendarYear,
    Document,
    Organisation,
    Rule,
    RulebookHead,
    TermsFile,
    Vocabulary,
)

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parents[2] / "docs" / "schema"
"""Where the committed schemas are."""

_KINDS: Mapping[str, TypeAdapter[object]] = {
    "workflow": TypeAdapter(WorkflowFile),
    "rules": TypeAdapter(dict[str, Rule]),
    "rulebook": TypeAdapter(RulebookHead),
    "vocabulary": TypeAdapter(Vocabulary),
    "documents": TypeAdapter(dict[str, Document]),
    "organisation": TypeAdapter(Organisation),
    "batch": TypeAdapter(BatchFile),
    "calendar": TypeAdapter(CalendarYear),
    "terms": TypeAdapter(TermsFile),
}

_VARIED = frozenset({"rules", "vocabulary", "documents"})
"""Files that the loader projects before it reads them, so that their models do not know the variants."""


def schemas() -> Mapping[str, str]:
    """File name → text of the schema, as it is committed."""
    return {f"{name}.json": _text(name, adapter) for name, adapter in _KINDS.items()}


def _text(name: str, adapter: TypeAdapter[object]) -> str:
    schema = {"$schema": _DIALECT, **adapter.json_schema(by_alias=True)}
    if name in _VARIED:
        variants = WorkflowFile.model_json_schema()["properties"]["variants"]
        schema["properties"] = {**schema.get("properties", {}), "variants": variants}
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def main() -> None:
    """Write every schema to its place."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
