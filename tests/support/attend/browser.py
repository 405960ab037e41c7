"""A headless Chromium, spoken to over WebDriver with the standard library alone."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-extensions",
]  # fmt: skip
IS_HERE = all(map(shutil.which, ("chromium", "chromedriver")))
WHY_NOT = "needs Debian's packages chromium and chromium-driver"


class Browser:
    """One window; close it with `close`."""

    def __init__(self, folder: Path, width: int = 1000, height: int = 1400) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._driver = subprocess.Popen(
            ["chromedriver", f"--port={port}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://127.0.0.1:{port}"
        flags = [*FLAGS, f"--window-size={width},{height}", f"--user-data-dir={folder}"]
        wanted = {
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
        }
        try:
            self._wait_for_driver()
            session = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        except BaseException:
            self._driver.kill()
            self._driver.wait()
            raise
        self._base += f"/session/{session['sessionId']}"

    def close(self) -> None:
        """End the browser and its driver."""
        try:
            self._call("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait()

    def open(self, url: str) -> None:
        """Go to an address; one that differs only behind the # is loaded anew as well."""
        self._call("POST", "/url", {"url": "about:blank"})
        self._call("POST", "/url", {"url": url})

    def run(self, script: str, *words: object) -> Any:
        """What a script returns in the page."""
        return self._call("POST", "/execute/sync", {"script": script, "args": words})

    def devtools(self, command: str, **options: object) -> Any:
        """A command of the DevTools protocol."""
        return self._call("POST", "/goog/cdp/execute", {"cmd": command, "params": options})

    def type(self, text: str) -> None:
        """Press keys, one after the other, wherever the focus is."""
        keys = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._call("POST", "/actions", {"actions": [{"type": "key", "id": "k", "actions": keys}]})

    def text(self, name: str) -> str:
        """The text of an element by its id."""
        return str(self.run("return document.getElementById(arguments[0]).textContent", name))

    def wait_until(self, script: str, *words: object, seconds: float = 20) -> Any:
        """Wait until an expression is true in the page."""
        deadline = time.monotonic() + seconds
        while not (found := self.run(f"return {script}", *words)):
            assert time.monotonic() < deadline, (script, self.text("state"))
            time.sleep(0.02)
        return found

    def log(self, kind: str) -> list[Any]:
        """What was logged since the last call: `browser` (the console) or `performance`."""
        return list(self._call("POST", "/se/log", {"type": kind}))

    def picture(self) -> bytes:
        """A PNG of what is shown."""
        return base64.b64decode(self._call("GET", "/screenshot"))

    def _wait_for_driver(self) -> None:
        for _ in range(200):
            try:
                self._call("GET", "/status")
                return
            except OSError:
                time.sleep(0.1)
        raise TimeoutError("chromedriver does not answer")

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._base + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(error.read().decode()) from None
