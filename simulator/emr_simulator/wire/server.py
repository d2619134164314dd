"""The HTTP server on loopback; what it answers is made in dispatch."""

import json
import socket
import sys
import threading
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from emr_simulator.apis import services_of
from emr_simulator.wire.dispatch import Dispatcher
from emr_simulator.wire.writing import Answer
from emr_simulator.world import World

ENDPOINT_VARIABLES = (
    "AWS_ENDPOINT_URL_EMR",
    "AWS_ENDPOINT_URL_EC2",
    "AWS_ENDPOINT_URL_CLOUDWATCH",
    "AWS_ENDPOINT_URL_PRICING",
)
"""How boto3 is told to talk to the simulator instead of these services."""


class WireServer:
    """A World behind AWS's protocols, on a free port of 127.0.0.1, for the length of a ``with`` block.

    The World stands still by itself: whoever drives it holds ``lock`` while it moves time on.
    GET /clock answers its time: ``{"now": "2026-10-05T13:00:00+00:00"}``.

    Attributes:
        lock: Held while the World is read or changed.
    """

    def __init__(self, world: World, lock: AbstractContextManager[object] | None = None, *, port: int = 0) -> None:
        self.lock: AbstractContextManager[object] = lock if lock is not None else threading.RLock()
        self._world = world
        self._port = port
        self._dispatcher = Dispatcher(services_of(world), self.lock)
        self._http: _Http | None = None
        self._thread: threading.Thread | None = None

    @property
    def endpoint(self) -> str:
        """The server's URL, while it runs."""
        if self._http is None:
            msg = "the server runs inside its with block only"
            raise RuntimeError(msg)
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send boto3's calls here, while the server runs."""
        return dict.fromkeys(ENDPOINT_VARIABLES, self.endpoint)

    @property
    def faults(self) -> tuple[str, ...]:
        """What was wrong with answers, or broke: bugs of the simulator. Empty is good."""
        return tuple(self._dispatcher.faults)

    def __enter__(self) -> Self:
        self._http = _Http(("127.0.0.1", self._port), self._dispatcher, self._clock)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.02}, name="emr-simulator", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._http is not None and self._thread is not None:
            self._http.stop()
            self._thread.join()
        self._http = None

    def _clock(self) -> Answer:
        with self.lock:
            now = self._world.now
        body = json.dumps({"now": now.isoformat()}).encode()
        return Answer(200, body, {"Content-Type": "application/json"})


class _Http(ThreadingHTTPServer):
    """Closes kept-alive connections when it stops, so that no thread outlives it."""

    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], dispatcher: Dispatcher, clock: Any) -> None:  # noqa: ANN401
        self.dispatcher = dispatcher
        self.clock = clock
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's own
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - the base's own
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401, ARG002 - the base's own
        """Keep what broke for the test to see; a caller that hung up is no fault."""
        broken = sys.exception()
        if not isinstance(broken, ConnectionError):
            self.dispatcher.faults.append(f"connection of {client_address}: {broken!r}")

    def stop(self) -> None:
        """Stop listening, end every connection, and wait for its thread."""
        self.shutdown()
        with self._open_lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other side was faster
                    continue
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # buffered: headers and body leave together
    server: _Http

    def do_GET(self) -> None:
        """Answer /clock."""
        if self.path == "/clock":
            self._send(self.server.clock())
        else:
            self._send(Answer(404, b'{"message": "GET /clock, or an AWS call"}'))

    def do_POST(self) -> None:
        """Answer an AWS call."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.dispatcher.answer(self.path, headers, body))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the base's own
        """Say nothing: the World counts its calls."""
