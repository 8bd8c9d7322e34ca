"""`/metrics` for Prometheus: how many requests, how long they took, what waits. Routes and counts, nobody's data."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from console.backup_folders import newest
from console.web.audiences import Audience
from console.web.doors import Doors
from console.web.faults import NotFound
from console.web.visit import Visit
from console.worker import LEASE
from engine.store import leaves, mails
from engine.store.database import Connection
from engine.store.leases import leader

doors = Doors()
_OWN_NAMES = ("localhost", "127.0.0.1", "::1")
_REGISTRY = CollectorRegistry()
_REQUESTS = Counter("xueji_requests", "Requests answered", ("method", "route", "status"), registry=_REGISTRY)
_SECONDS = Histogram(
    "xueji_request_seconds", "How long answers took", ("route",), registry=_REGISTRY,
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0),
)  # fmt: skip


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """Count one request that was answered."""
    _REQUESTS.labels(method, route, str(status)).inc()
    _SECONDS.labels(route).observe(seconds)


@doors.get("/metrics", to=Audience.ANYONE)
def metrics(visit: Visit) -> Response:
    """What there is to watch; told to this machine only."""
    if not _is_this_machine(visit.request):
        raise NotFound
    standing = CollectorRegistry()
    standing.register(_Standing(visit))
    return Response(generate_latest(_REGISTRY) + generate_latest(standing), media_type=CONTENT_TYPE_LATEST)


def _is_this_machine(request: Request) -> bool:
    """Whether this machine asks, and no proxy on it for somebody else: one says so, or passes the public name on."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers or request.client is None:
        return False
    return request.url.hostname in _OWN_NAMES and ipaddress.ip_address(request.client.host).is_loopback


class _Standing:
    """How things stand in the database at the moment it is asked."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit

    def collect(self) -> Iterator[Metric]:
        """The numbers (prometheus_client's protocol)."""
        connection = self._visit.desk.connection
        waiting = GaugeMetricFamily("xueji_mails", "Mails by what became of them", labels=["state"])
        for state, number in sorted(mails.counts(connection).items()):
            waiting.add_metric([state], number)
        yield waiting
        yield GaugeMetricFamily("xueji_events_sealed", "Events in the sealed tree", value=leaves.size(connection))
        yield GaugeMetricFamily(
            "xueji_events_unsealed", "Events not sealed yet", value=leaves.count_unsealed(connection)
        )
        kept = newest(self._visit.house.settings, self._visit.office.log)  # 0 where there is none: that is long ago
        made = 0.0 if kept is None else kept.made_at.timestamp()
        told = "When the last backup that was verified was made, as seconds since 1970; 0: none"
        yield GaugeMetricFamily("xueji_backup_timestamp_seconds", told, value=made)
        held = 0 if kept is None else kept.events
        yield GaugeMetricFamily("xueji_backup_events", "Events in the last backup that was verified", value=held)
        yield GaugeMetricFamily("xueji_worker_leads", "Whether a worker leads", value=float(self._leads(connection)))

    def _leads(self, connection: Connection) -> bool:
        held = leader(connection, LEASE)
        return held is not None and held.until > self._visit.at
