"""The district of `tests.engine.town`, as the engine's own tests have it."""

from tests.engine.conftest import (
    district_url,
    library,
    postgres_district,
    postgres_template,
    sqlite_district,
    sqlite_template,
    town,
)

__all__ = [
    "district_url",
    "library",
    "postgres_district",
    "postgres_template",
    "sqlite_district",
    "sqlite_template",
    "town",
]
