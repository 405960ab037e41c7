"""Who may ask the page's server, and the headers of all that it answers.

Any page in a browser and any user of this machine can reach a port on loopback. So:

- a foreign `Host` is refused: a name that somebody else lets point to this machine is not ours;
- a foreign `Origin` is refused: other pages in the same browser are not ours;
- what tells or does something (`/api/...`) needs the token, which only the printed address holds.
  It stands behind the `#` there, which browsers never send, and goes into a header from then on.
"""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API = "/api/"
TOKEN = "x-tacit-token"  # a header
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Refuses what does not come from the page itself, and adds headers to every answer."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        """A guard before an app.

        Args:
            app: what is guarded.
            token: that requests to `/api/` must carry.
            port: of the server, as a part of its own names.
        """
        self._app, self._token = app, token
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        refusal = self._refusal(str(scope["path"]), Headers(scope=scope))
        app: ASGIApp = self._app if refusal is None else refusal
        await app(scope, receive, with_headers)

    def _refusal(self, path: str, headers: Headers) -> JSONResponse | None:
        """The answer to a request that is refused; None: it is not."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return refused(421, "host: is not this page's.")
        if any(origin != f"http://{hosts[0]}" for origin in headers.getlist("origin")):
            return refused(403, "origin: another page may not ask here.")
        given = headers.get(TOKEN, "").encode("utf-8", "replace")
        if path.startswith(API) and not hmac.compare_digest(given, self._token.encode()):
            return refused(401, "token: open the address that tacit attend printed.")
        return None


def refused(status: int, detail: str) -> JSONResponse:
    """An answer that says why nothing was done, in the form of an envelope."""
    return JSONResponse({"applied": False, "detail": detail}, status)
