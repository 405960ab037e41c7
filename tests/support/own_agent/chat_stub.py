"""A server of chat completions on this machine: it answers from a known table, or rudely."""

from __future__ import annotations

import json
import math
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np

from tacit.agents.external.question import MAY, read_words
from tacit.envs.market import Market

CERTIFICATE = Path(__file__).with_name("certificate.pem")  # of nobody, for localhost
HEADERS = {"Content-Type": "application/json"}


class Reply:
    """What the stub sends: a status, headers, and bytes."""

    def __init__(self, body: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self.body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.status, self.headers = status, {**HEADERS, **(headers or {})}


Answering = Callable[[dict[str, Any], int], Reply]  # the request, and how many came before it


class Stub:
    """A running stub.

    Attributes:
        url: its base_url.
        requests: bodies that came in.
        paths: of the requests.
        keys: values of the header Authorization.
    """

    def __init__(self, server: ThreadingHTTPServer, scheme: str) -> None:
        self.url = f"{scheme}://localhost:{server.server_address[1]}/v1"
        self.requests: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []


@contextmanager
def chat_stub(answering: Answering, tls: bool = False) -> Iterator[Stub]:
    """Serve on a free port until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            count = len(stub.requests)
            stub.requests.append(body)
            stub.paths.append(self.path)
            stub.keys.append(self.headers.get("Authorization"))
            reply = answering(body, count)
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *words: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *words: Any) -> None:
            pass  # a client that hangs up is no error of the stub's

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    stub = Stub(server, "https" if tls else "http")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


# --- answers -------------------------------------------------------------------------------------


def completion(text: str | None, top: dict[str, float] | None = None, **more: Any) -> Reply:
    """A chat completion; `top` are the probabilities of first tokens."""
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": text}, **more}
    if top is not None:
        entries = [
            {"token": token, "logprob": math.log(p), "bytes": None} for token, p in top.items() if p
        ]
        choice["logprobs"] = {"content": [{"token": text, "top_logprobs": entries}]}
    return Reply({"object": "chat.completion", "model": "stub-1", "choices": [choice]})


def of_table(market: Market, seat: str, table: np.ndarray) -> Answering:
    """Answers with the row of a table, which it finds by reading the words of the question."""
    role = market.seat(seat).role
    rows = {tuple(role.decode_observation(o).items()): o for o in range(role.observations)}
    names = {}
    from tacit.agents.external.question import action_name

    for action in range(role.actions):
        names[action_name(role, action)] = action

    def answer(body: dict[str, Any], count: int) -> Reply:
        words = body["messages"][0]["content"]
        row = table[rows[tuple(read_words(market, role, words).items())]]
        lines = words.splitlines()
        start = next(k for k, line in enumerate(lines) if line in MAY)
        top = {}
        for line in lines[start + 1 :]:
            label, _, name = line.partition(" ")
            if name in names and label[-1:] in (".", ")"):
                top[label[:-1]] = float(row[names[name]])
        return completion(max(top, key=lambda label: top[label]), top)

    return answer
