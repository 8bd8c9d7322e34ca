"""What others wrote and browsers get: exactly the bytes that were looked at, each with its licence."""

import gzip
import hashlib
from pathlib import Path

import pytest
import yaml

from console.web.rendering import HERE

FOLDERS = (HERE / "static" / "vendored", Path(__file__).parent / "browser" / "vendored")
MANIFESTS = {folder: yaml.safe_load((folder / "manifest.yaml").read_bytes())["files"] for folder in FOLDERS}
ENTRIES = [pytest.param(folder, name, one, id=name) for folder, many in MANIFESTS.items() for name, one in many.items()]
_FIRST_VISIT = 170_000


@pytest.mark.parametrize(("folder", "name", "told"), ENTRIES)
def test_a_vendored_file_is_the_one_in_the_manifest(folder, name, told):
    assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == told["sha256"]


@pytest.mark.parametrize(("folder", "name", "told"), ENTRIES)
def test_a_vendored_file_comes_with_its_licence(folder, name, told):
    assert (folder / name).is_file()
    assert (folder / told["licence_file"]).stat().st_size > 0
    assert told["licence"] in {"0BSD", "MIT", "MPL-2.0"}


@pytest.mark.parametrize("folder", FOLDERS, ids=["shipped", "of-the-tests"])
def test_nothing_is_vendored_that_the_manifest_does_not_name(folder):
    named = set(MANIFESTS[folder]) | {one["licence_file"] for one in MANIFESTS[folder].values()}

    assert {one.name for one in folder.iterdir()} - named == {"manifest.yaml"}


def test_the_first_visit_stays_within_its_budget():
    sent = ("vendored/htmx.min.js", "vendored/tabler.min.css", "tokens.css", "xj.css", "xj.js", "icons.svg")
    squeezed = sum(len(gzip.compress((HERE / "static" / one).read_bytes())) for one in sent)

    assert squeezed < _FIRST_VISIT


def test_our_own_script_is_one_small_file():
    assert (HERE / "static" / "xj.js").stat().st_size <= 12 * 1024
