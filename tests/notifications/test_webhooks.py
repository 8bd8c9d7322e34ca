"""Other systems are told of what was sealed: in order, signed, again until they heard, and never of a person."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import NamedTuple

import pytest

from engine.sealing import Sealer, seal
from engine.store import webhooks
from engine.store.leases import take
from notifications.sending import Rate
from notifications.webhooks import Teller, Webhook
from tests.engine.town import FIRST, NOW, SECOND, Town
from tests.engine.vault import LOG, SIGNER, HeadInMemory

SECRET = b"known to both of them and nobody else"


class Heard(NamedTuple):
    """A request as it arrived."""

    number: str
    timestamp: str
    signature: str
    body: bytes


class Portal(ThreadingHTTPServer):
    """A system beside this one: answers with `status`, keeps what it heard."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.heard: list[Heard] = []
        self.status = 204

    @property
    def hook(self) -> Webhook:
        """How it is told."""
        return Webhook(name="portal", url=f"http://127.0.0.1:{self.server_address[1]}/hooks", secret=SECRET)


class _Answers(BaseHTTPRequestHandler):
    server: Portal

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        said = self.headers
        heard = Heard(said["webhook-id"], said["webhook-timestamp"], said["webhook-signature"], body)
        self.server.heard.append(heard)
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def portal() -> Iterator[Portal]:
    with Portal() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Telling:
    """A town whose log is sealed, and who is told of it."""

    def __init__(self, town: Town, portal: Portal) -> None:
        self.town, self.portal, self._head, self.at = town, portal, HeadInMemory(), NOW
        self.teller = Teller(town.desk, LOG, [portal.hook], Rate(60, Random(1)))  # noqa: S311 spreading tries
        self.round()  # known from now on

    def round(self, *, holder: str = "one") -> tuple[int, int]:
        """Seal what there is, and tell of it: how many events were taken, how many systems have to wait."""
        seal(self.town.connection, Sealer(log=LOG, signers=(SIGNER,), head=self._head), "sealer", lambda: self.at)
        lease = take(self.town.connection, "work", holder, self.at, 60)
        assert lease is not None
        done = self.teller.tell(lambda: self.at, lease)
        return done.taken, done.later

    def pass_by(self, **span: float) -> None:
        """So much later."""
        self.at += timedelta(**span)

    def heard(self) -> list[tuple[str, str]]:
        """The kind and step of what arrived."""
        told = [json.loads(one.body) for one in self.portal.heard]
        return [(one["type"], one["data"].get("trigger", "")) for one in told]


@pytest.fixture
def telling(town: Town, portal: Portal) -> Telling:
    return Telling(town, portal)


def test_what_is_sealed_is_told_in_order_and_once(telling: Telling) -> None:
    telling.town.advance(FIRST, "applied")
    assert telling.round() == (len(telling.heard()), 0)
    assert telling.heard()[-1] == ("case.moved", "apply")

    assert telling.round() == (0, 0)
    places = [json.loads(one.body)["data"]["index"] for one in telling.portal.heard]
    assert places == sorted(set(places)) != []


def test_what_was_before_it_was_known_is_not_told(telling: Telling) -> None:
    assert telling.portal.heard == []


def test_each_is_signed_as_the_standard_has_it_and_names_no_person(telling: Telling) -> None:
    telling.town.advance(FIRST, "applied")
    telling.round()

    heard = telling.portal.heard[-1]
    signed = f"{heard.number}.{heard.timestamp}.".encode() + heard.body
    made = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    assert heard.signature == f"v1,{made}"
    told = json.loads(heard.body)
    assert set(told) == {"type", "timestamp", "data"}
    assert set(told["data"]) == {"log", "index", "case", "seq", "trigger", "from", "to"}
    assert FIRST not in heard.body.decode()


@pytest.mark.parametrize("status", [302, 404, 410, 500, 503])
def test_what_was_not_taken_is_told_again_under_the_same_number_later_each_time(telling: Telling, status: int) -> None:
    telling.portal.status = status
    telling.town.advance(FIRST, "applied")
    assert telling.round() == (0, 1)
    assert telling.round() == (0, 1), "it is not asked again at once"
    assert len(telling.portal.heard) == 1
    [standing] = webhooks.standings(telling.town.connection).values()
    assert (standing.tries, standing.answer) == (1, f"HTTP {status}")

    telling.portal.status = 204
    telling.pass_by(minutes=2)
    taken, later = telling.round()
    assert (taken > 0, later) == (True, 0)
    assert telling.portal.heard[1].number == telling.portal.heard[0].number
    assert telling.portal.heard[1].body == telling.portal.heard[0].body


def test_one_that_cannot_be_reached_holds_up_no_other(telling: Telling, portal: Portal) -> None:
    nobody = Webhook(name="gone", url="http://127.0.0.1:1/hooks", secret=SECRET)
    telling.teller = Teller(telling.town.desk, LOG, [nobody, portal.hook], Rate(60, Random(1)))  # noqa: S311 spreading tries
    telling.round()
    telling.town.advance(FIRST, "applied")

    taken, later = telling.round()

    assert (taken > 0, later) == (True, 1)
    assert webhooks.standings(telling.town.connection)["gone"].answer == "ConnectError"


def test_who_lost_the_lead_moves_nobodys_place(telling: Telling) -> None:
    telling.town.advance(FIRST, "applied")
    telling.round()
    before = webhooks.standings(telling.town.connection)
    telling.town.advance(SECOND, "applied")
    lost = take(telling.town.connection, "work", "one", telling.at, 60)
    assert lost is not None
    telling.pass_by(minutes=2)
    assert take(telling.town.connection, "work", "two", telling.at, 60) is not None

    telling.teller.tell(lambda: lost.until - timedelta(seconds=1), lost)

    assert webhooks.standings(telling.town.connection) == before
