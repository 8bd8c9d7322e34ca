"""A folder of definitions read once: what it said is remembered beside a hash of everything that was read.

Reading YAML with the place of every word takes seconds for a whole institution, and a command is to answer at once.
The remembered text is JSON of the same values; it is used only while every file, and the code that reads them, are
byte for byte what they were. Losing it costs a reading, never a wrong answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from pydantic import BaseModel, ValidationError

from engine import definition, vocabulary
from engine.collecting import set_aside
from engine.definition import Definition
from engine.expressions.functions import Registered
from engine.library import Library
from engine.loading.folder import NO_FUNCTIONS, load
from engine.loading.registered import source_hash
from engine.loading.shelf import NOTHING_OVER
from engine.vocabulary import BatchFile, RulebookText

_MOST_REMEMBERED = 4
"""Databases of one machine may have other texts in force; each is remembered."""


class _Remembered(BaseModel):
    """A library as it is kept."""

    definitions: tuple[Definition, ...]
    rulebook: RulebookText
    batches: Mapping[str, BatchFile]


def load_remembered(
    folder: Path,
    memory: Path,
    functions: Mapping[str, Registered] = NO_FUNCTIONS,
    over: Mapping[str, str] = NOTHING_OVER,
) -> Library:
    """What `recalled` gives, set aside from the collector: for whoever works by it from now on.

    Args and Raises: As `recalled`.
    """
    library = recalled(folder, memory, functions, over)
    set_aside()
    return library


def recalled(
    folder: Path,
    memory: Path,
    functions: Mapping[str, Registered] = NO_FUNCTIONS,
    over: Mapping[str, str] = NOTHING_OVER,
) -> Library:
    """The library of a folder, from memory if nothing has changed since it was last read.

    Args:
        folder: Where `workflows/` and `rules/` are.
        memory: A folder for what is remembered; made if it is not there, and done without if it cannot be.
        functions: As `load`.
        over: As `load`.

    Raises:
        DefinitionFaults: As `load`.
    """
    file = memory / f"{fingerprint(folder, functions, over)}.json"
    library = _recalled(file, functions)
    if library is None:
        library = load(folder, functions, over)
        with suppress(OSError):
            _write(file, library)
    return library


def _recalled(file: Path, functions: Mapping[str, Registered]) -> Library | None:
    """What was remembered; None where nothing can be read."""
    with suppress(OSError, ValidationError):
        kept = _Remembered.model_validate_json(file.read_bytes())
        return Library(
            definitions={(one.workflow, one.profile): one for one in kept.definitions},
            rulebook=kept.rulebook,
            batches=kept.batches,
            functions=functions,
        )
    return None


def fingerprint(
    folder: Path,
    functions: Mapping[str, Registered],
    over: Mapping[str, str] = NOTHING_OVER,
    also: Iterable[Path] = (),
) -> str:
    """What a library depends on: every file of the two folders by name and content, and the code that reads them.

    `over` are texts read instead of files, `also` is other code that what is remembered depends on.
    """
    digest = hashlib.sha256(source_hash(functions).encode())
    reading = [Path(definition.__file__), Path(vocabulary.__file__), *sorted(Path(__file__).parent.glob("*.py"))]
    code = (*reading, *also)
    files = sorted(path for part in ("workflows", "rules") for path in (folder / part).rglob("*.yaml"))
    for path in (*code, *files):
        body = path.read_bytes()
        digest.update(f"{path.name}\0{path.parent.name}\0{len(body)}\0".encode())
        digest.update(body)
    for name, text in sorted(over.items()):
        digest.update(f"{name}\0over\0{len(text)}\0{text}".encode())
    return digest.hexdigest()


def _write(file: Path, library: Library) -> None:
    """Write in one move, so that a reader beside it sees all of it or nothing; older memories go."""
    kept = _Remembered(
        definitions=tuple(library.definitions.values()), rulebook=library.rulebook, batches=library.batches
    )
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in sorted(file.parent.glob("*.json"), key=_age)[_MOST_REMEMBERED - 1 :]:
        old.unlink(missing_ok=True)
    with NamedTemporaryFile("w", dir=file.parent, suffix=".part", delete=False, encoding="utf-8") as part:
        part.write(kept.model_dump_json(by_alias=True, exclude_defaults=True))
    Path(part.name).replace(file)


def _age(file: Path) -> float:
    """How long ago a memory was written, for sorting: the newest first; one that is gone meanwhile comes last."""
    try:
        return -file.stat().st_mtime
    except OSError:
        return 0.0
