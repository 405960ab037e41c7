"""Bots in a process of their own, which speak JSON lines: one object a line, `id` echoed.

    -> {"id": 1, "seat": "bidder_0", "observation": {...}, "actions": [...], "words": "..."}
    <- {"id": 1, "action": {"bid": 0.4}}

Answers may come in any order. A line that is no JSON object is noise and is passed over; a line
that begins as an object and is none, and an answer to what was never asked, end the questions under
way as failed, because nobody knows whose answer it was.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import IO, Any

from tacit.agents.external.question import Question

from .answers import FAILED, TIME_OUT, BotAnswer, DoorClosed, read_answer, shortened, without

LONGEST_LINE = 2**20  # bytes; a bot that writes a longer one is ended
KEPT_ERRORS = 2_000  # bytes of standard error, the last ones
MOST_SILENT = 3  # questions in a row without an answer, after which the bot is ended
GRACE = 0.5  # seconds between closing its input and killing it
WORKER = Path(__file__).with_name("call_worker.py")


class CommandDoor:
    """A program that answers JSON lines.

    Attributes:
        where: its command, in words.
        noise: lines that were no answers.
    """

    def __init__(self, command: Sequence[str], seconds: float = 10.0) -> None:
        """Start a program.

        Args:
            command: the program and its arguments.
            seconds: that an answer may take.

        Raises:
            DoorClosed: it does not start.
        """
        self.command, self.seconds = list(command), seconds
        self.where = f"the command {shortened(' '.join(self.command), 200)}"
        self.noise: list[str] = []
        self._waiting: dict[int, SimpleQueue[Any]] = {}
        self._late: set[int] = set()
        self._asked, self._silent = 0, 0
        self._closed: str | None = None
        self._errors = b""
        self._lock = threading.Lock()
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._start()

    # --- the process -----------------------------------------------------------------------------

    def _start(self) -> None:
        try:
            # A session of its own, so that what the bot starts can be ended with it.
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise DoorClosed(f"{self.where} does not start: {reason}.") from None
        self._readers = [
            threading.Thread(target=self._read_errors, daemon=True),
            threading.Thread(target=self._read_answers, daemon=True),
            threading.Thread(target=self._write, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def _write(self) -> None:
        """Hand over what is sent: a program that does not read must not block who asks it."""
        stream = _stream(self._process.stdin)
        with suppress(OSError, ValueError):  # a dead program is told by its output
            while (line := self._outgoing.get()) is not None:
                stream.write(line)
                stream.flush()
        with suppress(OSError, ValueError):
            stream.close()

    def _read_errors(self) -> None:
        while data := _stream(self._process.stderr).read1(65_536):  # type: ignore[attr-defined]
            self._errors = (self._errors + data)[-KEPT_ERRORS:]

    def _read_answers(self) -> None:
        stream = _stream(self._process.stdout)
        while line := stream.readline(LONGEST_LINE):
            if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
                self._shut(f"{self.where} wrote a line of more than {LONGEST_LINE:,} bytes.")
                _kill(self._process)
                return
            self._take(line.decode(errors="replace"))
        self._readers[0].join(GRACE)
        code = self._process.wait()
        self._shut(f"{self.where} has ended (exit code {code}){self._last_error()}.")

    def _last_error(self) -> str:
        lines = self._errors.decode(errors="replace").strip().splitlines()
        return f": {shortened(lines[-1], 200)}" if lines else ""

    def _shut(self, reason: str) -> None:
        """Fail what is under way, and all that follows."""
        with self._lock:
            self._closed = self._closed or reason
            waiting, self._waiting = self._waiting, {}
        for queue in waiting.values():
            queue.put(DoorClosed(self._closed))

    # --- answers ---------------------------------------------------------------------------------

    def _take(self, line: str) -> None:
        """Deal with a line that the program has written."""
        text = line.strip()
        if not text:
            return
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            if text.startswith("{"):
                self._fail_all("an object of JSON that does not end", text)
            else:
                self.noise.append(shortened(text, 100))
                del self.noise[100:]
            return
        if not isinstance(data, dict):
            self.noise.append(shortened(text, 100))
            return
        number = data.get("id")
        queue = None
        if isinstance(number, int) and not isinstance(number, bool):
            with self._lock:
                queue = self._waiting.pop(number, None)
                if queue is None and number in self._late:
                    self._late.discard(number)  # its question was given up
                    return
        if queue is None:
            self._fail_all(f"an answer with the id {shortened(repr(number), 40)}", text)
        else:
            queue.put((data, text))

    def _fail_all(self, problem: str, text: str) -> None:
        """End the questions under way: nobody knows whose answer this was."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            self._late |= waiting.keys()
        for queue in waiting.values():
            queue.put((problem, text))

    def ask(self, question: Question) -> BotAnswer:
        """Send a question and wait for its answer.

        Raises:
            DoorClosed: the program has ended, or leaves one question after the other unanswered.
        """
        begun = time.perf_counter()
        found = self._exchange(question.plain(), self.seconds)
        seconds = time.perf_counter() - begun
        if found is None:
            self._silent += 1
            if self._silent >= MOST_SILENT:
                self._shut(
                    f"{self.where} left {MOST_SILENT} questions in a row without an answer for "
                    f"{self.seconds:g} seconds each."
                )
                _kill(self._process)
            answer = without(question, TIME_OUT, f"no answer in {self.seconds:g} seconds")
            return replace(answer, seconds=seconds)
        self._silent = 0
        data, text = found
        if isinstance(data, str):
            return replace(without(question, FAILED, data, text), seconds=seconds)
        if "failed" in data and "action" not in data:
            problem = shortened(str(data["failed"]), 200)
            return replace(without(question, FAILED, problem, text), seconds=seconds)
        return replace(read_answer(question, data, text), seconds=seconds)

    def _exchange(self, data: dict[str, Any], seconds: float) -> tuple[Any, str] | None:
        """Send one object; what came back for it, None if nothing did in time.

        Raises:
            DoorClosed: the program has ended.
        """
        queue: SimpleQueue[Any] = SimpleQueue()
        with self._lock:
            if self._closed is not None:
                raise DoorClosed(self._closed)
            self._asked += 1
            number = self._asked
            self._waiting[number] = queue
            self._outgoing.put((json.dumps({"id": number, **data}) + "\n").encode())
        try:
            found = queue.get(timeout=seconds)
        except Empty:
            with self._lock:
                self._waiting.pop(number, None)
                self._late.add(number)
            return None
        if isinstance(found, DoorClosed):
            raise found
        return found  # type: ignore[no-any-return]

    def fresh(self) -> CommandDoor | None:
        """The same program, started once more.

        Raises:
            DoorClosed: it does not start again.
        """
        return CommandDoor(self.command, self.seconds)

    def close(self) -> None:
        """Close the program's input, and end it if it does not end by itself."""
        self._shut(f"{self.where} is closed.")
        self._outgoing.put(None)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(GRACE)
        _kill(self._process)
        for reader in self._readers:
            reader.join(GRACE)
        for stream in (self._process.stdout, self._process.stderr):
            with suppress(OSError, ValueError):
                _stream(stream).close()


class CallDoor(CommandDoor):
    """A function of Python, imported and called in a process of its own.

    An import that fails or hangs ends that process alone, and what the function prints disturbs no
    answer.
    """

    def __init__(self, call: str, seconds: float = 10.0, start_seconds: float = 30.0) -> None:
        """Import a function.

        Args:
            call: `module:function`.
            seconds: that an answer may take.
            start_seconds: that the import may take.

        Raises:
            DoorClosed: it does not import, or is no function.
        """
        self.call, self.start_seconds = call, start_seconds
        self._ready: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._is_ready = False
        super().__init__([sys.executable, "-P", str(WORKER), call], seconds)
        self.where = f"the Python function {call}"
        # The folders of this process: what can be imported here can be there.
        folders = [path or os.getcwd() for path in sys.path]
        if os.getcwd() not in folders:
            folders.insert(0, os.getcwd())
        self._outgoing.put((json.dumps(folders) + "\n").encode())
        try:
            told = self._ready.get(timeout=start_seconds)
        except Empty:
            self.close()
            raise DoorClosed(
                f"{call}: the import takes more than {start_seconds:g} seconds."
            ) from None
        if told is None or "failed" in told:
            reason = self._closed if told is None else shortened(str(told["failed"]), 200)
            self.close()
            raise DoorClosed(f"{call}: does not import: {reason}.")

    def _take(self, line: str) -> None:
        if self._is_ready:
            super()._take(line)
            return
        self._is_ready = True
        self._ready.put(json.loads(line))

    def _shut(self, reason: str) -> None:
        super()._shut(reason)
        if not self._is_ready:
            self._ready.put(None)

    def fresh(self) -> CallDoor | None:
        """The same function, imported once more.

        Raises:
            DoorClosed: it does not import again.
        """
        return CallDoor(self.call, self.seconds, self.start_seconds)


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    """A stream of the process, which was opened as a pipe."""
    assert stream is not None
    return stream


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and what it has started."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
