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
    """Where things are, and how people are told; every one may be set as `XUEJI_…`.

    How people are told stays text here and is read where it is used (`console.post`): a mistyped hour must not stand in
    the way of a queue.
    """

    model_config = SettingsConfigDict(env_prefix="XUEJI_", frozen=True)

    database: str = "sqlite:///xueji.db"
    definitions: Path = HOME
    key: Path | None = Field(default=None, alias="XUEJI_KEY_FILE")
    memory: Path | None = None
    backups: Path | None = None
    what_if: Path | None = None

    mail: str | None = None
    mail_password_file: Path | None = None
    mail_rate: str | None = None
    sender: str | None = None
    channels: Path | None = None
    webhooks: Path | None = None
    url: str = "http://localhost:8000"
    messages: Path | None = None
    quiet_hours: str = "21:00-07:00"
    digest_hour: str = "09:10"
    working_days_only: str = "no"
    lease_seconds: str = "30"
    clock: Path | None = None

    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret_file: Path | None = None
    oidc_claim: str = "preferred_username"
    cas: str | None = None

    seal_key: Path | None = None
    seal_passphrase_file: Path | None = None
    seal_seconds: str = "60"
    checkpoint: Path | None = None
    witnesses: Path | None = None

    @property
    def mail_folder(self) -> Path:
        """Where mails are put as files unless `XUEJI_MAIL` says otherwise, so that nothing leaves a fresh install."""
        file = self.database.removeprefix("sqlite:///")
        return Path("mail") if file == self.database or file.startswith("file:") else Path(file).parent / "mail"

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
    def seal_key_file(self) -> Path:
        """The file of the key that signs heads: beside the MAC key, unless `XUEJI_SEAL_KEY` says otherwise."""
        return self.seal_key or self.key_file.with_name(f"{self.key_file.stem}.seal")

    @property
    def checkpoint_file(self) -> Path:
        """Where the newest head is published: beside a SQLite database, else in the working folder."""
        if self.checkpoint is not None:
            return self.checkpoint
        file = self.database.removeprefix("sqlite:///")
        is_file = file != self.database and not file.startswith("file:")
        return Path(f"{file}.checkpoint" if is_file else "xueji.checkpoint")

    @property
    def address(self) -> str:
        """The database as it may be shown: without its password."""
        return re.sub(r"(//[^:/@]*):[^@]*@", r"\1:***@", self.database)
