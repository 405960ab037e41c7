"""A port on this machine for the page, and the browser that is sent there."""

from __future__ import annotations

import os
import secrets
import socket
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path

import uvicorn

from tacit.envs.errors import ConfigError
from tacit.training.acts.runtime_folder import make_folder

from .app import make_app
from .watch import Watch

HOST = "127.0.0.1"  # loopback: no other machine reaches the page
GRACE = 1  # seconds that pages get when the server ends


def listen(port: int) -> socket.socket:
    """A socket that listens on a port of this machine; 0: on any that is free.

    Raises:
        ConfigError: the port is in use, or may not be used.
    """
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HOST, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise ConfigError(
            f"--port: {port} cannot be used ({error.strerror}). Without --port a free one is taken."
        ) from None
    return listening


class _Server(uvicorn.Server):
    """Ends streams of events before it waits for what is under way."""

    def __init__(self, config: uvicorn.Config, watch: Watch) -> None:
        super().__init__(config)
        self._watch = watch

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all that is under way."""
        self._watch.close()
        await super().shutdown(sockets)


class Room:
    """The page's server on one run.

    Attributes:
        url: the address to open, with the token.
        server: which runs until its `should_exit` is set.
    """

    def __init__(self, watch: Watch, facts: dict[str, object], listening: socket.socket) -> None:
        """A server that does not answer yet."""
        port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        app = make_app(watch, facts, token, port)
        self.url = f"http://{HOST}:{port}/#{token}"
        self._listening = listening
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False,
            ws="none", timeout_graceful_shutdown=GRACE, timeout_keep_alive=30,
        )  # fmt: skip
        self.server = _Server(config, watch)

    def serve(self) -> None:
        """Answer until the server is told to end, or Ctrl-C."""
        with self._listening:
            self.server.run(sockets=[self._listening])


@contextmanager
def opened(url: str) -> Iterator[None]:
    """Within, a browser is sent to the address.

    The words of a command line can be read by every user of the machine, so the browser is given a
    file that only this user can read, and which leads to the address.
    """
    path: Path | None = None
    with suppress(ConfigError, OSError):
        path = make_folder() / f"attend-{os.getpid()}.html"
        path.unlink(missing_ok=True)
        text = f'<!doctype html><meta http-equiv="refresh" content="0; url={escape(url)}">'
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
        webbrowser.open(path.as_uri())
    try:
        yield
    finally:
        if path is not None:
            with suppress(OSError):
                path.unlink(missing_ok=True)
