"""The REST interface is asked what its description allows and what not: it never breaks, and answers as told."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from console.access.programs import Scope, Wish, issue
from console.demo import evening
from tests.web.conftest import Site

_ASKED = settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
    database=None,
    derandomize=True,
)

_MAY_MEAN_NOTHING = positive_data_acceptance
"""What is as described may still mean nothing here (no such role, a day that is over): 422, told by its field."""


def _bearer(site: Site) -> str:
    """A token of the approver's for everything."""
    with site.house.desks.borrowed() as office:
        wish = Wish(evening.APPROVER, "all", tuple(Scope), timedelta(days=1))
        made = issue(office.desk, wish, site.watch.at, "setup")
    return f"Bearer {made}"


def test_no_request_breaks_the_interface_and_every_answer_is_as_described(site: Site) -> None:
    headers = {"Authorization": _bearer(site)}
    schema = schemathesis.openapi.from_url(f"{site.address}/api/v1/openapi.json", wait_for_schema=5)
    asked = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), "the description itself is not sound"
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @_ASKED
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(headers=headers, timeout=30, excluded_checks=[_MAY_MEAN_NOTHING])
                asked.append(case.path)

            with suppress(Unsatisfiable):  # where nothing can be asked that is not described
                ask()
    assert len(asked) >= 100
