"""A port on this machine for a seat's page."""

from __future__ import annotations

import secrets
import socket

import uvicorn

from tacit.training.attend.serve import GRACE, HOST

from .app import make_seat_app
from .seated import SeatedSession


class SeatRoom:
    """The page's server on one session.

    Attributes:
        url: the address to open, with the token.
        server: which runs until its `should_exit` is set.
    """

    def __init__(self, seated: SeatedSession, listening: socket.socket) -> None:
        """A server that does not answer yet.

        Args:
            seated: the session.
            listening: a socket of `tacit.training.attend.serve.listen`.
        """
        port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        self.url = f"http://{HOST}:{port}/#{token}"
        self._listening = listening
        app = make_seat_app(seated, token, port)
        self.server = uvicorn.Server(uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            ws="none", timeout_graceful_shutdown=GRACE,
        ))  # fmt: skip

    def serve(self) -> None:
        """Answer until the server is told to end, or Ctrl-C."""
        with self._listening:
            self.server.run(sockets=[self._listening])
