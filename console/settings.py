"""Settings, from the command line and the environment; the one place that reads the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

import rules

HOME = Path(rules.__file__).resolve().parent.parent
"""The folder that holds rules/ and workflows/: where the project is installed."""


class Settings(BaseSettings):
    """Where things are; every one may be set as `XUEJI_…`."""

    model_config = SettingsConfigDict(env_prefix="XUEJI_", frozen=True)

    database: str = "sqlite:///xueji.db"
    definitions: Path = HOME
    key: Path | None = Field(default=None, alias="XUEJI_KEY_FILE")
    memory: Path | None = None

    @property
    def memory_folder(self) -> Path:
        """Where what was read of the definitions is remembered: `XUEJI_MEMORY`, else the user's cache."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return self.memory or Path(cache) / "xueji"

    @property
    def key_file(self) -> Path:
        """The file of the log's MAC key: beside a SQLite database, else in the working folder."""
        if self.key is not None:
            return self.key
        if self.database.startswith("sqlite:///"):
            return Path(self.database.removeprefix("sqlite:///") + ".key")
        return Path("xueji.key")

    @property
    def address(self) -> str:
        """The database as it may be shown: without its password."""
        return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", self.database)
