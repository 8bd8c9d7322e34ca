"""A replay spread over a cluster finds what it finds here; what stands in the way of one is said."""

import json
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from console.calling import Misuse
from console.spreading import cluster
from tests.console.counter import Counter


@pytest.fixture
def address() -> Iterator[str]:
    """Two worker processes of a cluster on this machine."""
    distributed = import_module("distributed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the library's own
        with distributed.LocalCluster(
            n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
        ) as running:
            yield str(running.scheduler_address)


def test_a_cluster_answers_as_this_machine_does(
    address: str, bare_postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    counter = Counter(url=bare_postgres_url, folder=tmp_path).set_up().enrol()
    counter.document("move", "--all-eligible", "apply", "--as", "op", "--batch", "2024-06", code=1)

    here = counter.document("replay", "--all", "--workers", "1")
    there = counter.document("replay", "--all", "--cluster", address)

    assert json.dumps(there) == json.dumps(here)
    assert there["diverged"] == []


@pytest.mark.heavy  # it waits ten seconds for an answer
def test_a_cluster_nobody_answers_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Misuse, match="SQLite"), cluster("tcp://127.0.0.1:1", "sqlite:///x.db"):
        pass
    with pytest.raises(Misuse, match=r"127\.0\.0\.1:1"), cluster("tcp://127.0.0.1:1", "postgresql://x@y/z"):
        pass
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(Misuse, match=r"xueji\[cluster\]"), cluster("tcp://127.0.0.1:1", "postgresql://x@y/z"):
        pass
