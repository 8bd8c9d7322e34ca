"""The REST interface is asked what its description allows and what not: it never breaks, and answers as told."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import positive_data_acceptance

from console.access.programs import Scope, Wish, issue
from console.demo.sheets import Files
from tests.web.conftest import Site, opening
from tests.web.test_matrix import MATRIX, PEOPLE

_EXAMPLES = 3
"""Of each route by each who asks for it."""
_ASKING = ("approver", "records", "auditor", "system_admin", "security_admin", "student")
"""Between them every route is for somebody."""
_NAMED = "names something that may not be there: a batch, a step, a role, a person, a case that waits"
_DAYS = "names days that may be out of reach, or stand in the wrong order"
_WRITTEN = "brings a text that has to be more than a text: definitions, rules, a reason"
_NOT_TAKEN: Mapping[str, Collection[str]] = {
    _NAMED: (
        "POST /cases", "POST /bulk", "POST /nudges", "GET /queue/counts", "GET /queue/todo", "POST /queue/views",
        "POST /exports/queue", "POST /audit/papers", "POST /audit/samples",
        "POST /me/delegations/end", "POST /admin/access", "POST /admin/access/export", "POST /admin/people",
        "POST /admin/batches/{name}/values",
    ),
    _DAYS: (
        "POST /me/delegations", "POST /me/absences", "POST /admin/absences", "POST /admin/batches/term",
        "POST /admin/proposals/{number}/submit",
    ),
    _WRITTEN: ("POST /audit/what-if", "POST /admin/proposals", "POST /admin/outbox/{number}/{verdict}"),
}  # fmt: skip
"""Where what is as described may still be refused with 422, by the reason; everywhere else it is taken."""


def _examples(many: int) -> settings:
    return settings(
        max_examples=many,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate),
        database=None,
        derandomize=True,
    )


@pytest.fixture(scope="module")
def one_site(staged_evening: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One house for all who ask: whatever one of them does, the others are answered as described."""
    with opening(staged_evening, tmp_path_factory.mktemp("schema")) as open_one:
        yield open_one()


def _bearer(site: Site, name: str) -> str:
    """A token of somebody's for everything."""
    with site.house.desks.borrowed() as office:
        [(student,)] = office.desk.connection.execute(
            "SELECT login FROM account WHERE student IS NOT NULL ORDER BY login LIMIT 1"
        ).fetchall()
        at = site.watch.at
        wish = Wish(PEOPLE[name].login.format(student=student), "all", tuple(Scope), timedelta(days=1), at)
        return f"Bearer {issue(office.desk, wish, at, 'setup')}"


def _who_asks(method: str, path: str) -> Iterator[tuple[str, GenerationMode]]:
    """Two of those for whom a route is, one as it is described and one as not, and one for whom it is not."""
    to = MATRIX[f"program {method}"].get(path, {"to": "anyone"})["to"]
    meant = [name for name in _ASKING if PEOPLE[name].belongs(to)]
    others = [name for name in _ASKING if name not in meant]
    yield from ((name, GenerationMode.POSITIVE) for name in (*meant[:1], *others[:1]))
    yield from ((name, GenerationMode.NEGATIVE) for name in meant[-1:])


@pytest.mark.parametrize("name", _ASKING)
def test_no_request_breaks_the_interface_and_every_answer_is_as_described(one_site: Site, name: str) -> None:
    headers = {"Authorization": _bearer(one_site, name)}
    schema = schemathesis.openapi.from_url(f"{one_site.address}/api/v1/openapi.json", wait_for_schema=5, timeout=60)
    asked, refusable = [], {one for some in _NOT_TAKEN.values() for one in some}
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), "the description itself is not sound"
        operation = found.ok()
        method, path = operation.method.lower(), operation.path.removeprefix("/api/v1")
        left_out: list[Any] = [positive_data_acceptance] if f"{method.upper()} {path}" in refusable else []
        for mode in (mode for who, mode in _who_asks(method, path) if who == name):

            @_examples(_EXAMPLES)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(headers=headers, timeout=30, excluded_checks=left_out)  # noqa: B023 at once
                asked.append(case.path)

            with suppress(Unsatisfiable):  # where nothing can be asked that is not described
                ask()
    assert len({*asked}) >= 10


def test_whatever_may_be_refused_though_it_is_as_described_is_a_route() -> None:
    told = {
        f"{section.split()[1].upper()} {path}"
        for section in MATRIX
        if section.startswith("program")
        for path in MATRIX[section]
    }
    assert {one for some in _NOT_TAKEN.values() for one in some} <= told
