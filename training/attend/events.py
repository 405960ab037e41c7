"""Server-sent events: `curves` once, then what has changed, `beat` in between.

| event | what |
|---|---|
| `curves` | every seed's headline along the rounds so far |
| `state` | rounds, latches, the last acts of the ledger |
| `seed` | how one seed stood when it was saved last (`reading/standing.py`) |
| `marks` | acts of people, with the rounds that seeds had played then |
| `beat` | for how long the run has not answered |
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress

from starlette.types import Receive, Scope, Send

from .facts import made_visible
from .guard import refused
from .watch import Watch

BEAT = 0.5  # seconds after which a page is told that the server is there, if nothing changes
PATIENCE = 30.0  # seconds that a page may not read before it is given up
MOST_PAGES = 200  # that follow events at once


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
            # Topics are read after the version: one may be newer, and is then sent once more.
            newest = watch.version
            topics = watch.newer_topics(version)
            if not topics:
                silent = json.dumps({"silent": round(watch.silent_for, 1)}).encode()
                await _tell(send, "beat", silent)
            for topic in topics:
                await _tell(send, topic.event, topic.data)
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
