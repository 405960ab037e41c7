"""The socket of a run that trains: a line in, a line out; only for the user who trains.

The socket has mode 0600 in a folder of mode 0700, and the user at the other end is asked of the
system. It is opened while the run's lock is held, so a file that lies there is left over from a
process that was killed.
"""

from __future__ import annotations

import os
import socket
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tacit.envs.errors import ConfigError
from tacit.training.acts.control import RunControl
from tacit.training.plain_text import say
from tacit.training.storage.run_folder import RunFolder

from .acts import Acts, refused
from .protocol import MOST_BYTES, Envelope, parse_request
from .runtime_folder import make_folder, socket_path

SECONDS = 20.0  # that a client may take to send its line, and to read the answer
MOST_CLIENTS = 64  # at once; others are told to come back


class _Handler(socketserver.StreamRequestHandler):
    """One client, one act."""

    timeout = SECONDS
    server: _Server

    def handle(self) -> None:
        """Read a line, answer it."""
        if not self.server.room.acquire(blocking=False):
            self._answer(refused(self.server.acts.target, b"", ConfigError("busy: try again.")))
            return
        try:
            line = self.rfile.readline(MOST_BYTES + 1)
            self._answer(self._done(line))
        except OSError:
            pass  # it stopped writing or reading
        finally:
            self.server.room.release()

    def _done(self, line: bytes) -> Envelope:
        """Do what a line asks for; a mistake of the program is told here and to the client."""
        acts = self.server.acts
        try:
            _check_peer(self.request)
            return acts.do(parse_request(line))
        except ConfigError as error:
            return refused(acts.target, line, error)
        except Exception as error:
            envelope = refused(acts.target, line, ConfigError(f"act: failed by {error!r}."))
            say(f"{acts.target}: {envelope.act} {envelope.id}: {envelope.detail}", is_error=True)
            return envelope

    def _answer(self, envelope: Envelope) -> None:
        self.wfile.write(envelope.model_dump_json().encode() + b"\n")


class _Server(socketserver.ThreadingUnixStreamServer):
    """Answers clients side by side; acts wait for one another."""

    daemon_threads = True
    block_on_close = False  # a client that does not read must not keep a run from ending
    request_queue_size = 128

    def __init__(self, path: str, acts: Acts) -> None:
        self.acts, self.room = acts, threading.Semaphore(MOST_CLIENTS)
        super().__init__(path, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: a client that fails leaves no trace in the output of the run. What an act
        fails by is told in `_Handler`."""


@contextmanager
def serving(run: RunFolder, control: RunControl) -> Iterator[bool]:
    """Within, acts on a run are taken from its socket.

    Where the system refuses a socket, or the ledger cannot be read, the run trains without one.

    Args:
        run: the run, whose lock is held.
        control: of the run; its ledger is open.

    Yields:
        Whether acts are taken.
    """
    try:
        make_folder()
        path = socket_path(run)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)  # the socket is made with mode 0600
        try:
            server = _Server(str(path), Acts(run.name, control))
        finally:
            os.umask(before)
    except (ConfigError, OSError):
        yield False
        return
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield True
    finally:
        server.shutdown()
        server.server_close()
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _check_peer(connection: socket.socket) -> None:
    """Check that the other end belongs to this user.

    Raises:
        ConfigError: it does not.
    """
    if not hasattr(socket, "SO_PEERCRED"):  # elsewhere the folder's mode must do
        return
    size = struct.calcsize("3i")
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, user, _ = struct.unpack("3i", credentials)
    if user != os.getuid():
        raise ConfigError("by: only the user who trains the run may act on it.")
