"""The routes of the page's server.

| route | answers |
|---|---|
| `GET /`, `/room.css`, `/room.js`, `/chart.js` | the page's files, which say nothing of the run |
| `GET /api/facts` | what does not change (`facts.py`) |
| `GET /api/events` | events: `curves` once, `state` with every change, `beat` in between |
| `POST /api/act` | a request as the run's socket takes it (`acts/protocol.py`), and its envelope |
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tacit.envs.errors import ConfigError
from tacit.training.acts.client import send as send_to_run
from tacit.training.acts.protocol import MOST_BYTES, parse_request

from .facts import made_visible
from .guard import Guard, refused
from .watch import Watch

FILES = {
    "/": ("index.html", "text/html"),
    "/room.css": ("room.css", "text/css"),
    "/room.js": ("room.js", "text/javascript"),
    "/chart.js": ("chart.js", "text/javascript"),
}
BEAT = 2.0  # seconds after which a page is told that the server is there, if nothing changes
PATIENCE = 30.0  # seconds that a page may not read before it is given up
MOST_PAGES = 200  # that follow events at once


def make_app(watch: Watch, facts: Mapping[str, Any], token: str, port: int) -> Starlette:
    """The app of one run.

    Args:
        watch: of the run; it is followed while the app is served.
        facts: what the page is told once.
        token: that requests must carry.
        port: that the app is served on.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(watch.follow())
        try:
            yield
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def tell_facts(request: Request) -> Response:
        return JSONResponse(dict(facts))

    async def act(request: Request) -> Response:
        return await act_on(watch, request)

    routes = [
        *(Route(path, _file(name, media)) for path, (name, media) in FILES.items()),
        Route("/api/facts", tell_facts),
        Route("/api/events", Events(watch)),
        Route("/api/act", act, methods=["POST"]),
    ]
    guard = Middleware(Guard, token=token, port=port)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


def _file(name: str, media: str) -> Any:
    """The endpoint of one of the page's files."""
    data = files(__package__).joinpath("page", name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(data, media_type=media)

    return answer


# --- acts ----------------------------------------------------------------------------------------


async def act_on(watch: Watch, request: Request) -> Response:
    """Pass a request on to the run's socket, and answer with its envelope."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return refused(415, "request: must be application/json.")
    try:
        body = await _body(request)
    except ClientDisconnect:
        return refused(400, "request: was cut off.")
    if body is None:
        return refused(413, f"request: has more than {MOST_BYTES:,} bytes.")
    try:
        wanted = parse_request(body)
    except ConfigError as error:
        return refused(400, made_visible(" ".join(error.mistakes)))
    try:
        envelope = await run_in_threadpool(send_to_run, watch.run, wanted)
    except ConfigError as error:
        return refused(409, made_visible(" ".join(error.mistakes)))
    return JSONResponse(made_visible(envelope.model_dump()))


async def _body(request: Request) -> bytes | None:
    """The body; None if it is too large, which is found before the whole of it is read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body


# --- events --------------------------------------------------------------------------------------


class Events:
    """Server-sent events: the newest state, again with every change.

    A page that reads slowly skips states; one that reads nothing is given up. Neither keeps others
    waiting.
    """

    def __init__(self, watch: Watch) -> None:
        self._watch, self._pages = watch, 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Follow the run until the page goes away."""
        if self._pages >= MOST_PAGES:
            await refused(503, "events: too many pages follow this run.")(scope, receive, send)
            return
        self._pages += 1
        following = asyncio.create_task(self._follow(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({following, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._pages -= 1
            for task in (following, leaving):
                task.cancel()
            await asyncio.gather(following, leaving, return_exceptions=True)

    async def _follow(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        watch, version = self._watch, -1
        # A copy, made in one go: the watch adds to its curves in another thread.
        curves = {name: list(points) for name, points in list(watch.curves.items())}
        await _tell(send, "curves", json.dumps(made_visible(curves)).encode())
        while not watch.is_closed:
            with suppress(TimeoutError):
                # Not wait_for, which in Python 3.11 may lose that the task was cancelled.
                async with asyncio.timeout(BEAT):
                    await watch.newer_than(version)
            # The state is read after its version: it may be newer, and is then sent once more.
            newest, state = watch.version, watch.encoded
            if newest == version or newest == 0:
                silent = json.dumps({"silent": round(watch.silent_for, 1)}).encode()
                await _tell(send, "beat", silent)
            else:
                await _tell(send, "state", state)
            version = newest
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _tell(send: Send, event: str, data: bytes) -> None:
    """Send one event.

    Raises:
        TimeoutError: the page does not read.
    """
    body = b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"
    message = {"type": "http.response.body", "body": body, "more_body": True}
    async with asyncio.timeout(PATIENCE):
        await send(message)


async def _left(receive: Receive) -> None:
    """Return when the page has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
