"""The page of `tacit attend` for tests: its server in a thread, and requests to it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager

from tacit.training.attend.facts import facts_of
from tacit.training.attend.serve import Room, listen
from tacit.training.attend.watch import Watch


class Page:
    """Requests as the page sends them, or as nobody should."""

    def __init__(self, url):
        self.url = url
        base, _, self.token = url.partition("/#")
        self.host = base.removeprefix("http://")
        self.port = int(self.host.partition(":")[2])

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def __call__(self, path, body=None, method=None, **headers):
        """Status, headers and body of an answer; a header that is None is not sent."""
        given = {"X-Tacit-Token": self.token}
        if body is not None:
            given |= {"Content-Type": "application/json", "Origin": f"http://{self.host}"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given = {name: value for name, value in given.items() if value is not None}
        connection = self.connection()
        try:
            connection.request(method or ("GET" if body is None else "POST"), path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def act(self, name, **options):
        """An act, and its envelope."""
        told = {"id": f"{name}-{time.monotonic_ns()}", "act": name, "by": "alice", "reason": "why"}
        status, _, body = self("/api/act", json.dumps(told | options))
        return status, json.loads(body)

    def deaf(self):
        """A page that asks for events and reads none."""
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", self.port))
        lines = ("GET /api/events HTTP/1.1", f"Host: {self.host}", f"X-Tacit-Token: {self.token}")
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        return connection

    @contextmanager
    def events(self):
        """An iterator of events: name and data."""
        connection = self.connection()
        try:
            connection.request("GET", "/api/events", headers={"X-Tacit-Token": self.token})
            yield read_events(connection.getresponse())
        finally:
            connection.close()

    def state_with(self, condition):
        """The first state that meets a condition, of a new stream."""
        with self.events() as events:
            return next(data for name, data in events if name == "state" and condition(data))


def read_events(answer):
    assert answer.status == 200
    while line := answer.readline():
        if line.startswith(b"event: "):
            yield line[7:].strip().decode(), json.loads(answer.readline()[6:])


@contextmanager
def served(room):
    """A page, from a server that answers in a thread."""
    thread = threading.Thread(target=room.serve)
    thread.start()
    try:
        yield Page(room.url)
    finally:
        room.server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()


@contextmanager
def room_on(run, experiment, send_buffer=None):
    """The page's server in a thread; `send_buffer`: bytes that the system keeps for a page."""
    facts = facts_of(run.name, experiment, "alice")
    listening = listen(0)
    if send_buffer is not None:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    room = Room(Watch(run, experiment.arms), facts, listening)
    with served(room) as page:
        yield page
