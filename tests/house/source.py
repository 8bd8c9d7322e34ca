"""The project as it lies on disk, for the tests about the house itself."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NOT_ROOMS = frozenset({"docs", "requirements", "tests"})


def configuration() -> dict[str, Any]:
    """What pyproject.toml says."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def committed() -> list[Path]:
    """Every file that is, or would be, committed; none that .gitignore names."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / name for name in told.stdout.split("\0") if name)
    return sorted(path for path in paths if path.is_file())


def rooms() -> set[str]:
    """Folders at the top that hold Python and are not about the project."""
    inside = (path.relative_to(ROOT).parts for path in committed() if path.suffix == ".py")
    return {parts[0] for parts in inside if len(parts) > 1} - NOT_ROOMS


def modules(*names: str) -> Iterator[Path]:
    """The Python files of the rooms named."""
    for path in committed():
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in names:
            yield path
