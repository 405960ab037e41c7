"""One HTTP POST at a time to one address, and to no other; by the standard library alone.

Redirects are not followed, proxies of the environment are not used, certificates are verified, and
no more than a megabyte is read, within a time that holds for the whole answer.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tacit.agents.external.config import LOOPBACK

from .answers import DoorClosed

MOST_BYTES = 2**20  # of an answer
PIECE = 65_536


class Response(NamedTuple):
    """What an endpoint answered.

    Attributes:
        status: of HTTP.
        retry_after: seconds that it asks to wait; 0 if it does not say.
        body: the text; cut off after a megabyte.
        is_cut: whether it was.
    """

    status: int
    retry_after: float
    body: str
    is_cut: bool


class Unanswered(Exception):
    """The connection broke, or nothing came in time.

    Attributes:
        is_time_out: whether time ran out.
    """

    def __init__(self, problem: str, is_time_out: bool = False) -> None:
        super().__init__(problem)
        self.is_time_out = is_time_out


def check_host(base_url: str, allowed: tuple[str, ...]) -> None:
    """Whether requests may go to the host of an address.

    Raises:
        DoorClosed: it is not this machine, and nobody has allowed it.
    """
    host = urlsplit(base_url).hostname or ""
    if host not in (*LOOPBACK, *(name.lower() for name in allowed)):
        raise DoorClosed(
            f"base_url: {host} is not this machine; nothing was sent. Allow it with --allow-host "
            f"{host}."
        )


class Poster:
    """Sends JSON to paths below one address; a connection for each thread, kept open.

    Attributes:
        base_url: the address.
    """

    def __init__(self, base_url: str, seconds: float, certificates: str | None = None) -> None:
        """An address.

        Args:
            base_url: begins with http:// or https://.
            seconds: that an answer may take.
            certificates: a file of certificates to trust beside the system's.
        """
        self.base_url, self.seconds = base_url, seconds
        parts = urlsplit(base_url)
        self._host, self._port, self._path = str(parts.hostname), parts.port, parts.path.rstrip("/")
        self._context: ssl.SSLContext | None = None
        if parts.scheme == "https":
            self._context = ssl.create_default_context()
            if certificates is not None:
                self._context.load_verify_locations(certificates)
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def _connection(self) -> http.client.HTTPConnection:
        """This thread's connection."""
        found: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if found is None:
            if self._context is not None:
                found = http.client.HTTPSConnection(
                    self._host, self._port, timeout=self.seconds, context=self._context
                )
            else:
                found = http.client.HTTPConnection(self._host, self._port, timeout=self.seconds)
            self._local.connection = found
            self._open.append(found)
        return found

    def post(self, path: str, data: Any, headers: Mapping[str, str]) -> Response:
        """Send JSON, and read the answer.

        Args:
            path: below the address, with a slash in front.
            data: a value of JSON.
            headers: of HTTP.

        Raises:
            DoorClosed: the certificate is wrong.
            Unanswered: the connection broke, or time ran out.
        """
        body = json.dumps(data, allow_nan=False).encode()
        until = time.monotonic() + self.seconds
        own = {"Content-Type": "application/json", "Accept": "application/json", **headers}
        connection = self._connection()
        try:
            connection.timeout = self.seconds
            if connection.sock is not None:
                connection.sock.settimeout(self.seconds)
            connection.request("POST", self._path + path, body, own)
            response = connection.getresponse()
            try:
                text, is_cut = self._read(connection, response, until)
            finally:
                if not response.isclosed():  # not read to its end
                    response.close()
                    connection.close()
            return Response(response.status, _seconds_of(response), text, is_cut)
        except ssl.SSLCertVerificationError as error:
            connection.close()
            raise DoorClosed(
                f"base_url: the certificate of {self._host} is not valid: {error.verify_message}."
            ) from None
        except TimeoutError:
            connection.close()
            raise Unanswered(f"no answer in {self.seconds:g} seconds", is_time_out=True) from None
        except ssl.SSLError as error:
            connection.close()
            raise DoorClosed(f"base_url: no TLS with {self._host}: {error.reason}.") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            connection.close()
            reason = getattr(error, "strerror", None) or type(error).__name__
            raise Unanswered(f"the connection broke: {reason}") from None

    def _read(
        self,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
        until: float,
    ) -> tuple[str, bool]:
        """The body, and whether it was cut off.

        Raises:
            TimeoutError: it is not there in time, however many pieces have come.
        """
        pieces, size = [], 0
        while size <= MOST_BYTES:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError
            if connection.sock is not None:
                connection.sock.settimeout(left)
            piece = response.read1(PIECE)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
        data = b"".join(pieces)
        return data[:MOST_BYTES].decode(errors="replace"), size > MOST_BYTES

    def close(self) -> None:
        """Close all connections."""
        for connection in self._open:
            connection.close()


def _seconds_of(response: http.client.HTTPResponse) -> float:
    """Seconds in the header Retry-After; 0 without one, or where it is a date."""
    try:
        return max(0.0, min(3600.0, float(response.getheader("Retry-After") or 0)))
    except ValueError:
        return 0.0
