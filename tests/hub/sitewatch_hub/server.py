"""HTTP on loopback around the service: the journal is written and faults are played here."""

from __future__ import annotations

import socket
import struct
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

from sitewatch_hub.cost import HEADER
from sitewatch_hub.faults import (
    Answer,
    Delay,
    Drip,
    ExpireTokens,
    Fault,
    FaultQueue,
    Hang,
    Misstate,
    Reset,
    Truncate,
)
from sitewatch_hub.granules import read_granules
from sitewatch_hub.journal import Entry, Journal, is_token_path
from sitewatch_hub.messages import Reply, Request
from sitewatch_hub.service import TOKEN_PATH, Service
from sitewatch_hub.terrain import read_terrain
from sitewatch_hub.tokens import Client, TokenDesk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

LOOPBACK = "127.0.0.1"

_LAST_ANSWERS_S = 90.0
"""Longer than a script may take."""

_LINGER_ZERO = struct.pack("ii", 1, 0)


class LocalHub:
    """A Sentinel Hub on loopback over an archive; use it in a ``with`` block.

    >>> with LocalHub(Path("archive")) as hub:          # doctest: +SKIP
    ...     config.sh_base_url, config.sh_token_url = hub.base_url, hub.token_url
    """

    def __init__(
        self,
        archive: Path,
        *,
        port: int = 0,
        client: Client | None = None,
        token_lifetime_s: float = 3600.0,
        clock: Callable[[], float] = time.time,
        tells_facts: bool = True,
    ) -> None:
        """Read the archive and take a port; nothing is served before `start`.

        Args:
            archive: Folder of an `imagery.archive.Archive`; scenes added later are not seen.
            port: 0 for any that is free.
            client: The account that may ask for tokens.
            token_lifetime_s: How long a token holds.
            clock: Seconds since the epoch.
            tells_facts: Whether the catalogue passes on what Items of Sentinel-2 know of orbit, angles and
                baseline; the service does not, and tells orbit and baseline in the product's name only.

        Raises:
            ArchiveError: An Item of the archive is damaged.
            OSError: The port is taken.
        """
        self.client = client or Client()
        self.faults = FaultQueue()
        self.journal = Journal()
        self.tokens = TokenDesk(self.client, clock, token_lifetime_s)
        self.granules = read_granules(archive, tells_facts=tells_facts)
        service = Service([*self.granules, *read_terrain(archive)], self.tokens)
        self._server = _Server(port, service, self.tokens, self.faults, self.journal)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def base_url(self) -> str:
        """What the client calls ``sh_base_url``."""
        return f"http://{LOOPBACK}:{self._server.server_address[1]}"

    @property
    def token_url(self) -> str:
        """What the client calls ``sh_token_url``."""
        return self.base_url + TOKEN_PATH

    def start(self) -> None:
        """Serve from a thread of its own until `close`."""
        self._thread.start()

    def close(self) -> None:
        """Stop: hanging requests are let go, and the others are answered first."""
        self._server.stopping.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._server.wait_until_idle(_LAST_ANSWERS_S)

    def wait(self) -> None:
        """Serve until interrupted."""
        self._thread.join()

    def __enter__(self) -> Self:
        """Start serving."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop serving."""
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, port: int, service: Service, tokens: TokenDesk, faults: FaultQueue, journal: Journal
    ) -> None:
        super().__init__((LOOPBACK, port), _Handler)
        self.service = service
        self.tokens = tokens
        self.faults = faults
        self.journal = journal
        self.stopping = threading.Event()
        self._busy = 0
        self._changed = threading.Condition()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count a request as in flight."""
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def wait_until_idle(self, timeout_s: float) -> None:
        """Wait for the requests in flight: V8 must not be running when the interpreter ends."""
        with self._changed:
            self._changed.wait_for(lambda: not self._busy, timeout_s)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server
    timeout = 30.0
    # Headers and body leave in two writes; Nagle's algorithm would hold the second back for 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the signature is the library's
        """Say nothing: the journal has it."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, self.rfile.read(length))
        with self.server.busy():
            self._answer(request)

    def _answer(self, request: Request) -> None:
        fault = self.server.faults.next_for(request.path)
        if isinstance(fault, ExpireTokens):
            self.server.tokens.revoke_all()
        if isinstance(fault, Answer):
            reply = Reply(fault.status, fault.body, fault.media_type, fault.headers)
        elif isinstance(fault, Hang | Reset):
            reply = Reply(0, b"")
        else:
            reply = self.server.service.answer(request)
        self._note(request, reply, fault)
        self._play(reply, fault)

    def _note(self, request: Request, reply: Reply, fault: Fault | None) -> None:
        entry = Entry(
            method=request.method,
            path=request.path,
            host=request.headers.get("host", ""),
            authorized="authorization" in request.headers,
            body=b"" if is_token_path(request) else request.body,
            status=reply.status,
            fault=type(fault).__name__ if fault is not None else "",
            units=float(reply.headers.get(HEADER, 0)),
        )
        self.server.journal.add(entry)

    def _play(self, reply: Reply, fault: Fault | None) -> None:
        try:
            match fault:
                case Hang(seconds):
                    self.server.stopping.wait(seconds)
                    self.close_connection = True
                case Reset():
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
                    self.connection.close()
                    self.close_connection = True
                case Truncate(share):
                    self._send(reply, len(reply.body), reply.body[: int(len(reply.body) * share)])
                    self.close_connection = True
                case Misstate(by):
                    self._send(reply, max(0, len(reply.body) + by), reply.body)
                    self.close_connection = True
                case Drip(chunk, pause_s):
                    self._drip(reply, chunk, pause_s)
                case Delay(seconds):
                    self.server.stopping.wait(seconds)
                    self._send(reply, len(reply.body), reply.body)
                case _:
                    self._send(reply, len(reply.body), reply.body)
        except (BrokenPipeError, ConnectionResetError):
            # The client has gone, which is its right: what it asked is in the journal.
            self.close_connection = True

    def _send(self, reply: Reply, declared_length: int, body: bytes) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(declared_length))
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _drip(self, reply: Reply, chunk: int, pause_s: float) -> None:
        self._send(reply, len(reply.body), b"")
        for first in range(0, len(reply.body), chunk):
            self.wfile.write(reply.body[first : first + chunk])
            if self.server.stopping.wait(pause_s):
                self.close_connection = True
                return
