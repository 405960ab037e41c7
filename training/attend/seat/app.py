"""The routes of a seat's page.

| route | answers |
|---|---|
| `GET /`, `/*.css`, `/*.js` | the page's files, which say nothing of the session |
| `GET /api/seat` | what the seat sees now |
| `POST /api/seat` | a decision: `{"decision": 3, "choice": 2}`; or `{"stop": true}` |
| `GET /api/closing` | after the session: what everybody did, and the score |
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tacit.envs.errors import ConfigError
from tacit.training.attend.app import json_body, page_file
from tacit.training.attend.facts import made_visible
from tacit.training.attend.guard import Guard, refused

from .seated import SeatedSession

ROOM, SEAT = "tacit.training.attend", "tacit.training.attend.seat"  # whose page/ holds a file
FILES = {
    "/": (SEAT, "seat.html", "text/html"),
    "/seat.css": (SEAT, "seat.css", "text/css"),
    "/seat.js": (SEAT, "seat.js", "text/javascript"),
    "/room.css": (ROOM, "room.css", "text/css"),
    "/dom.js": (ROOM, "dom.js", "text/javascript"),
    "/wire.js": (ROOM, "wire.js", "text/javascript"),
}


class SeatRequest(BaseModel):
    """A decision, or the end of the session.

    Attributes:
        decision: how many were made before it.
        choice: its place among the legal actions, from 1.
        stop: end the session.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    decision: Annotated[int, Field(ge=0)] = 0
    choice: Annotated[int, Field(ge=1)] | None = None
    stop: bool = False


def make_seat_app(seated: SeatedSession, token: str, port: int) -> Starlette:
    """The app of one session.

    Args:
        seated: the session.
        token: that requests must carry.
        port: that the app is served on.
    """

    async def tell(request: Request) -> Response:
        return await _told(seated.state)

    async def close(request: Request) -> Response:
        return await _told(seated.closing)

    async def decide(request: Request) -> Response:
        body = await json_body(request)
        if isinstance(body, Response):
            return body
        try:
            wanted = SeatRequest.model_validate_json(body)
        except (ValidationError, RecursionError):
            return refused(400, "request: must be a decision and a choice, or stop.")
        if wanted.stop:
            return await _told(seated.stop)
        if wanted.choice is None:
            return refused(400, "choice: is missing.")
        return await _told(seated.act, wanted.decision, wanted.choice)

    routes = [
        *(Route(path, page_file(*about)) for path, about in FILES.items()),
        Route("/api/seat", tell),
        Route("/api/seat", decide, methods=["POST"]),
        Route("/api/closing", close),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, port=port)])


async def _told(ask: Callable[..., dict[str, Any]], *words: int) -> Response:
    """What a session answers, in a thread of its own."""
    try:
        return JSONResponse(made_visible(await run_in_threadpool(ask, *words)))
    except ConfigError as error:
        return refused(409, made_visible(" ".join(error.mistakes)))
