"""The group of the commands for auditors; each is put into it where its module is known (`console.commands`)."""

from __future__ import annotations

import typer

audit = typer.Typer(
    help="审计：封存、导出、核验、抽样。Sealing, exporting, verifying, sampling.",
    no_args_is_help=True, add_completion=False, rich_markup_mode=None,
)  # fmt: skip
