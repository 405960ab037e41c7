"""Screenshots for the documents: `python docs/screenshots.py RUN_FOLDER` of TensorBoard,
`python docs/screenshots.py REPORT.html` of what `tacit report` wrote,
`python docs/screenshots.py 'http://127.0.0.1:PORT/#TOKEN'` of the page that `tacit attend`, or
`tacit play --page`, serves.

Needs chromium and chromedriver (Debian's packages chromium, chromium-driver), spoken to over the
WebDriver protocol with the standard library alone. Writes docs/images/board_*.png, report.png and
attend*.png and play*.png.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tacit.training.board.server import command, free_port, links

NAMES = ("time_series", "", "hparams", "custom_scalars", "text")
IMAGES = Path(__file__).parent / "images"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1500,950",
]  # fmt: skip


def call(url: str, method: str, body: Any = None) -> Any:
    """One WebDriver request."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["value"]


def wait_for(url: str) -> None:
    """Until a server answers."""
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(url)


def main(run: Path) -> None:
    """Open the four pages and save what they show."""
    port, driver_port = free_port(), free_port(9515)
    board = subprocess.Popen(command(run, port), stderr=subprocess.DEVNULL)
    driver = subprocess.Popen(["chromedriver", f"--port={driver_port}"], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}")
        wait_for(f"http://127.0.0.1:{driver_port}/status")
        options = {"goog:chromeOptions": {"args": FLAGS}}
        base = f"http://127.0.0.1:{driver_port}/session"
        session = call(base, "POST", {"capabilities": {"alwaysMatch": options}})["sessionId"]
        for name, here in zip(NAMES, links(port, True).values(), strict=True):
            if not name:  # single seeds: no picture
                continue
            call(f"{base}/{session}/url", "POST", {"url": "about:blank"})
            call(f"{base}/{session}/url", "POST", {"url": here})
            time.sleep(12)
            picture = call(f"{base}/{session}/screenshot", "GET")
            (IMAGES / f"board_{name}.png").write_bytes(base64.b64decode(picture))
            print(f"images/board_{name}.png  {here}")
        call(f"{base}/{session}", "DELETE")
    finally:
        driver.terminate()
        board.terminate()


def report(page: Path) -> None:
    """The top of a report, drawn without a network."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            ["chromium", *FLAGS, "--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1000,1300",
             f"--user-data-dir={profile}", f"--screenshot={IMAGES / 'report.png'}",
             page.resolve().as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
    print("images/report.png")


Window = Callable[..., Any]  # a WebDriver request of one window: method, path, body


@contextmanager
def window(url: str) -> Iterator[Window]:
    """A browser's window on a page."""
    port = free_port(9515)
    driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/status")
        options = {"goog:chromeOptions": {"args": FLAGS}}
        base = f"http://127.0.0.1:{port}/session"
        session = call(base, "POST", {"capabilities": {"alwaysMatch": options}})["sessionId"]

        def ask(method: str, path: str, body: Any = None) -> Any:
            return call(f"{base}/{session}{path}", method, body)

        ask("POST", "/url", {"url": url})
        time.sleep(3)
        yield ask
        ask("DELETE", "")
    finally:
        driver.terminate()


def run_in(ask: Window, script: str) -> Any:
    """What a script returns in the page."""
    return ask("POST", "/execute/sync", {"script": script, "args": []})


def picture(ask: Window, name: str, width: int, scheme: str, most: int = 10_000) -> None:
    """Save what the page shows, at most so many pixels high."""
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    commands = [("Emulation.setEmulatedMedia", {"features": features})]
    for high in (900, 0):
        size = {"width": width, "height": high, "deviceScaleFactor": 1, "mobile": False}
        commands.append(("Emulation.setDeviceMetricsOverride", size))
    for command_name, options in commands:
        if options.get("height") == 0:
            height = int(run_in(ask, "return document.documentElement.scrollHeight"))
            options["height"] = min(height, most)
        ask("POST", "/goog/cdp/execute", {"cmd": command_name, "params": options})
        time.sleep(0.5)
    (IMAGES / f"{name}.png").write_bytes(base64.b64decode(ask("GET", "/screenshot")))
    print(f"images/{name}.png")


def press(ask: Window, key: str) -> None:
    """Press a key."""
    keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
    ask("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": keys}]})
    time.sleep(1)


def attend(url: str) -> None:
    """The page on a run that trains, or that of a seat, after a few seconds of it."""
    with window(url) as ask:
        if run_in(ask, "return document.title").endswith("tacit play"):
            press(ask, "2")
            picture(ask, "play", 1000, "light", 760)
            picture(ask, "play_dark", 380, "dark", 900)
            return
        run_in(ask, "for (const id of ['verdict-ask', 'deals-ask']) "
                    "document.getElementById(id).click()")  # fmt: skip
        time.sleep(30)
        picture(ask, "attend", 1000, "light")
        picture(ask, "attend_dark", 1000, "dark", 1250)
        picture(ask, "attend_narrow", 380, "light", 1700)
        ask("POST", "/goog/cdp/execute", {
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {"width": 800, "height": 860, "deviceScaleFactor": 1, "mobile": False},
        })  # fmt: skip
        press(ask, "b")
        time.sleep(1)
        (IMAGES / "attend_form.png").write_bytes(base64.b64decode(ask("GET", "/screenshot")))
        print("images/attend_form.png")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    if sys.argv[1].startswith("http://127.0.0.1:"):
        attend(sys.argv[1])
    elif target.suffix == ".html":
        report(target)
    else:
        main(target)
