"""The rooms of the house are where design and configuration say, and each keeps to its own."""

import ast
from pathlib import Path

import pytest

from tests.house.source import ROOT, configuration, modules, rooms

LONGEST_MODULE = 450  # lines; above that nobody reads it in one sitting
IN_ONE_FILE = "exchange/verifier/xueji_verify.py"
"""An auditor reads and runs it alone, without this project (docs/verifying.md)."""
LONGEST_FUNCTION = 60  # lines
NAMES_THAT_SAY_NOTHING = {"base", "common", "helpers", "manager", "misc", "utils"}

# Only engine/store keeps and only engine/loading reads files; nothing in engine/ logs.
OUTSIDE_WORLD = {
    "http",
    "logging",
    "os",
    "psycopg",
    "pysqlite3",
    "socket",
    "sqlalchemy",
    "sqlite3",
    "sqlmodel",
    "structlog",
    "subprocess",
    "tempfile",
    "time",
    "urllib",
}
FILE_CALLS = {"open", "read_bytes", "read_text", "write_bytes", "write_text"}


def test_no_room_escapes_import_linter():
    configured = configuration()["tool"]["importlinter"]["root_packages"]

    assert rooms() == set(configured)


def test_no_room_escapes_the_type_checker():
    assert rooms() <= set(configuration()["tool"]["mypy"]["files"])


def test_every_room_is_shipped():
    shipped = configuration()["tool"]["setuptools"]["packages"]["find"]["include"]

    assert rooms() | {"workflows"} == {name for name in shipped if not name.endswith(".*")}


def test_every_floor_of_the_engine_is_exhaustive():
    contracts = configuration()["tool"]["importlinter"]["contracts"]
    floors = [contract for contract in contracts if contract.get("containers") == ["engine"]]

    assert [contract["exhaustive"] for contract in floors] == [True]


def test_the_engine_reaches_the_outside_world_only_through_store_and_loading():
    reaching = {
        str(path.relative_to(ROOT)): found
        for path in modules("engine")
        if not _may_reach_outside(path)
        if (found := _reaches(ast.parse(path.read_text("utf-8"))))
    }

    assert reaching == {}


def _may_reach_outside(path: Path) -> bool:
    parts = path.relative_to(ROOT / "engine").parts
    return parts[0] in {"store", "loading", "loading.py"}


def _reaches(tree: ast.Module) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                found |= {name.name.split(".")[0] for name in names} & OUTSIDE_WORLD
            case ast.ImportFrom(module=str(module)):
                found |= {module.split(".")[0]} & OUTSIDE_WORLD
            case ast.Call(func=ast.Name(id="open")):
                found.add("open")
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in FILE_CALLS:
                found.add(attr)
    return found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("import os.path", {"os"}, id="import"),
        pytest.param("from time import monotonic", {"time"}, id="from-import"),
        pytest.param("open('x')", {"open"}, id="open"),
        pytest.param("path.read_text()", {"read_text"}, id="read-text"),
        pytest.param("from datetime import date", set(), id="harmless"),
    ],
)
def test_reaching_outside_is_noticed(text, found):
    assert _reaches(ast.parse(text)) == found


def test_every_module_is_read_in_one_sitting():
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines()) for path in modules(*rooms(), "tests")
    }

    assert {path for path, lines in lengths.items() if lines > LONGEST_MODULE} == {IN_ONE_FILE}


def test_every_function_fits_on_a_screen():
    too_long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in modules(*rooms())
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if "migrations" not in path.parts  # a migration is a list of columns, not something to follow
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]

    assert too_long == []


def test_modules_are_named_for_what_lives_there():
    named = {path: set(path.with_suffix("").parts) for path in modules(*rooms(), "tests")}

    assert [path for path, parts in named.items() if parts & NAMES_THAT_SAY_NOTHING] == []
