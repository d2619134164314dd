"""Clocks: this machine's, and the one of a simulated world."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from emr_autoscaler.adapters.clocks import RemoteClock, SystemClock
from emr_autoscaler.domain.errors import UnavailableError


@pytest.fixture
def clock_url(socket_enabled) -> Iterator[str]:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/clock" else 404)
            self.end_headers()
            self.wfile.write(b'{"now": "2026-10-05T15:00:00+02:00"}')

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_system_clock_tells_utc():
    now = SystemClock().now()

    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_the_remote_clock_tells_what_the_world_says(clock_url):
    assert RemoteClock(f"{clock_url}/clock").now() == datetime(2026, 10, 5, 13, tzinfo=UTC)


def test_a_clock_that_does_not_answer_is_unavailable(clock_url):
    with pytest.raises(UnavailableError, match="does not answer"):
        RemoteClock(f"{clock_url}/elsewhere").now()


def test_only_http_addresses_are_clocks():
    with pytest.raises(ValueError, match="file:///etc/passwd"):
        RemoteClock("file:///etc/passwd")
