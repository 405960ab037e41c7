"""The routes of the page's server.

| route | answers |
|---|---|
| `GET /`, `/*.css`, `/*.js` | the page's files, which say nothing of the run |
| `GET /api/facts` | what does not change (`facts.py`) |
| `GET /api/events` | what does (`events.py`) |
| `POST /api/look` | what a look into the folder finds that takes seconds (`looks.py`) |
| `POST /api/act` | a request as the run's socket takes it (`acts/protocol.py`), and its envelope |
"""

from __future__ import annotations

import asyncio
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

from tacit.envs.errors import ConfigError
from tacit.training.acts.client import send as send_to_run
from tacit.training.acts.protocol import MOST_BYTES, parse_request

from .events import Events
from .facts import made_visible
from .guard import Guard, refused
from .looks import Looks, parse_look
from .watch import Watch

SCRIPTS = (
    "room", "store", "wire", "dom", "chart", "acts", "breakers", "earnings", "deals", "verdict",
    "time_line",
)  # fmt: skip
FILES = {
    "/": ("index.html", "text/html"),
    "/room.css": ("room.css", "text/css"),
    **{f"/{name}.js": (f"{name}.js", "text/javascript") for name in SCRIPTS},
}


def make_app(watch: Watch, facts: Mapping[str, Any], token: str, port: int) -> Starlette:
    """The app of one run.

    Args:
        watch: of the run; it is followed while the app is served.
        facts: what the page is told once.
        token: that requests must carry.
        port: that the app is served on.
    """

    looks = Looks(watch.run)
    watch.at_close.append(looks.end)  # before the server waits for what is under way

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(watch.follow())
        try:
            yield
        finally:
            await looks.close()
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following

    async def tell_facts(request: Request) -> Response:
        return JSONResponse(dict(facts))

    async def act(request: Request) -> Response:
        return await act_on(watch, request)

    async def look(request: Request) -> Response:
        return await look_for(looks, request)

    routes = [
        *(
            Route(path, page_file(__package__, name, media))
            for path, (name, media) in FILES.items()
        ),
        Route("/api/facts", tell_facts),
        Route("/api/events", Events(watch)),
        Route("/api/act", act, methods=["POST"]),
        Route("/api/look", look, methods=["POST"]),
    ]
    guard = Middleware(Guard, token=token, port=port)
    return Starlette(routes=routes, middleware=[guard], lifespan=lifespan)


def page_file(package: str, name: str, media: str) -> Any:
    """The endpoint of one of a page's files.

    Args:
        package: whose folder `page` holds it.
        name: of the file.
        media: its type.
    """
    data = files(package).joinpath("page", name).read_bytes()

    async def answer(request: Request) -> Response:
        return Response(data, media_type=media)

    return answer


# --- acts ----------------------------------------------------------------------------------------


async def act_on(watch: Watch, request: Request) -> Response:
    """Pass a request on to the run's socket, and answer with its envelope."""
    body = await json_body(request)
    if isinstance(body, Response):
        return body
    try:
        wanted = parse_request(body)
    except ConfigError as error:
        return refused(400, made_visible(" ".join(error.mistakes)))
    try:
        envelope = await run_in_threadpool(send_to_run, watch.run, wanted)
    except ConfigError as error:
        return refused(409, made_visible(" ".join(error.mistakes)))
    return JSONResponse(made_visible(envelope.model_dump()))


async def look_for(looks: Looks, request: Request) -> Response:
    """Look into the run's folder, and answer with what is found there."""
    body = await json_body(request)
    if isinstance(body, Response):
        return body
    try:
        wanted = parse_look(body)
    except ConfigError as error:
        return refused(400, made_visible(" ".join(error.mistakes)))
    try:
        return JSONResponse(made_visible(await looks.ask(wanted)))
    except ConfigError as error:
        return refused(409, made_visible(" ".join(error.mistakes)))


async def json_body(request: Request) -> bytes | Response:
    """The body of a request that is called JSON; else the answer that refuses it."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        return refused(415, "request: must be application/json.")
    try:
        body = await _body(request)
    except ClientDisconnect:
        return refused(400, "request: was cut off.")
    return refused(413, f"request: has more than {MOST_BYTES:,} bytes.") if body is None else body


async def _body(request: Request) -> bytes | None:
    """The body; None if it is too large, which is found before the whole of it is read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return None
    return body
