"""Plots of arms, drawn by a second process beside training.

Matplotlib needs a seventh of a second for a picture, in Python from beginning to end, so a thread
would hold up those that train. Whatever goes wrong with the process, its parent draws what it did
not, so that a finished run has every picture.
"""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from contextlib import suppress
from typing import Any

from tacit.training.worker_process import RUNS, start_worker

from .plots import Measures, Picture, drawn_from

WORKER = (*RUNS, "tacit.training.board.picture_worker")


class PictureProcess:
    """Draws plots of arms ahead. `close` must be called at the end, whatever happened.

    Attributes:
        count: pictures of how many arms came from the process.
    """

    def __init__(self) -> None:
        """No process so far; the first question starts one."""
        self.count = 0
        self._process: subprocess.Popen[str] | None = None
        self._asked: list[str] = []  # requests in order, which is the order of the answers
        self._answers: dict[str, dict[str, Picture] | None] = {}
        self._is_over = False
        self._changed = threading.Condition()

    def ask(self, arm: str, measures: Measures) -> None:
        """Ask for the pictures of an arm.

        Args:
            arm: its name.
            measures: as in summary.json.
        """
        request = _request(arm, measures)
        with self._changed:
            if self._is_over:
                return
            if self._process is None:
                try:
                    self._process = start_worker(WORKER)
                except OSError:
                    self._is_over = True
                    return
                threading.Thread(target=self._read, args=(self._process,), daemon=True).start()
            process = self._process
            self._asked.append(request)
        with suppress(OSError, ValueError):  # it has ended, or was closed
            assert process.stdin is not None
            process.stdin.write(f"{request}\n")
            process.stdin.flush()

    def pictures(self, arm: str, measures: Measures) -> dict[str, Picture] | None:
        """The pictures of an arm by name, which are waited for; None where the process was not
        asked for these, or did not draw them."""
        request = _request(arm, measures)
        with self._changed:
            if request in self._asked:
                self._changed.wait_for(lambda: request in self._answers or self._is_over)
            found = self._answers.pop(request, None)
        self.count += found is not None
        return found

    def close(self) -> None:
        """End the process; pictures that were not asked for by now are lost."""
        with self._changed:
            self._is_over = True
            process = self._process
        if process is not None:
            process.kill()
            process.wait()
            with suppress(OSError):  # what was not sent yet
                assert process.stdin is not None
                process.stdin.close()

    def _read(self, process: subprocess.Popen[str]) -> None:
        """Take the answers, in the order of the requests, until the process ends."""
        assert process.stdout is not None
        with process.stdout, suppress(OSError, ValueError, LookupError, TypeError):
            for n, line in enumerate(process.stdout):
                pictures = _from_plain(json.loads(line)["pictures"])
                with self._changed:
                    self._answers[self._asked[n]] = pictures
                    self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


def _request(arm: str, measures: Measures) -> str:
    """A line that asks for pictures: all that they are drawn from."""
    return json.dumps({"arm": arm, "measures": drawn_from(measures)})


def _from_plain(pictures: dict[str, Any] | None) -> dict[str, Picture] | None:
    """Pictures that the worker made plain."""
    if pictures is None:
        return None
    return {
        name: Picture(base64.b64decode(own["png"]), own["width"], own["height"])
        for name, own in pictures.items()
    }
