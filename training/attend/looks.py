"""Looks into the run's folder that take seconds, done by a process of their own.

The process is started with the first look, and ended when one takes too long; the next look starts
another one. So the page never waits, and training goes on with its own processes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tacit.envs.errors import ConfigError
from tacit.envs.plugins import hand_over
from tacit.training.acts.protocol import checked
from tacit.training.storage.run_folder import RunFolder

SECONDS = 20.0  # that a look may take
COMPILING = 180.0  # seconds that the first one of a kind may take: it may have to compile loops
STARTING = 60.0  # seconds that the process may take to begin
MOST_ANSWER = 8_000_000  # bytes of a line


class LookRequest(BaseModel):
    """What the page asks for.

    Attributes:
        look: the last deals of a repetition, why one was done, or the verdict so far on an arm.
        arm: the name of the arm.
        seed: the repetition.
        count: of deals: how many rounds at most.
        deal: of why: its name.
    """

    model_config = ConfigDict(extra="forbid", strict=True)

    look: Literal["deals", "why", "verdict"]
    arm: Annotated[str, Field(max_length=300)]
    seed: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    count: Annotated[int, Field(ge=1, le=20)] = 5
    deal: Annotated[str, Field(max_length=64)] = ""


def parse_look(body: bytes) -> LookRequest:
    """A request, checked whole.

    Raises:
        ConfigError: all that is wrong with it.
    """
    return checked(LookRequest, body)


class Looks:
    """The process that looks, and one question to it at a time."""

    def __init__(self, run: RunFolder, seconds: float = SECONDS) -> None:
        """No process yet.

        Args:
            run: into whose folder it looks.
            seconds: that a look may take.
        """
        self._run, self._seconds = run, seconds
        self._process: asyncio.subprocess.Process | None = None
        self._known: set[str] = set()  # kinds of looks that were answered
        self._lock, self._has_ended = asyncio.Lock(), False

    async def ask(self, wanted: LookRequest) -> dict[str, Any]:
        """What a look finds.

        Raises:
            ConfigError: it cannot be told, or takes too long.
        """
        try:
            async with asyncio.timeout(STARTING):
                await self._lock.acquire()
        except TimeoutError:
            raise ConfigError(f"{wanted.look}: other looks are under way; try again.") from None
        try:
            return await self._answer(wanted)
        except BaseException as error:
            # An answer that nobody reads would be taken for that of the next look.
            if not isinstance(error, ConfigError):
                self._end()
            raise
        finally:
            self._lock.release()

    async def _answer(self, wanted: LookRequest) -> dict[str, Any]:
        if self._has_ended:
            raise ConfigError(f"{wanted.look}: the page's command ends.")
        seconds = self._seconds if wanted.look in self._known else COMPILING
        try:
            process = await self._started()
            assert process.stdin is not None
            process.stdin.write(wanted.model_dump_json().encode() + b"\n")
            async with asyncio.timeout(seconds):
                told = await _line(process)
            self._known.add(wanted.look)
        except TimeoutError:
            self._end()
            raise ConfigError(
                f"{wanted.look}: took more than {seconds:g} seconds and was given up."
            ) from None
        except (OSError, ValueError):
            self._end()
            raise ConfigError(f"{wanted.look}: the process that looks has ended.") from None
        if "mistakes" in told:
            raise ConfigError(list(told["mistakes"]))
        found: dict[str, Any] = told["found"]
        return found

    async def _started(self) -> asyncio.subprocess.Process:
        """The process, started if there is none."""
        if self._process is None or self._process.returncode is not None:
            # -P: modules in the working folder must not replace the library's.
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "tacit.training.attend.reading.worker",
                str(self._run.path),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL, limit=MOST_ANSWER, start_new_session=True,
                env={**os.environ, **hand_over()},
            )  # fmt: skip
            async with asyncio.timeout(STARTING):
                await _line(self._process)
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            with suppress(ProcessLookupError):
                process.kill()

    def end(self) -> None:
        """Begin no look any more, and give up the one under way."""
        self._has_ended = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def close(self) -> None:
        """End the process."""
        process = self._process
        self._end()
        if process is not None:
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    """The process's next line.

    Raises:
        ValueError: it is none, or the process has ended.
    """
    assert process.stdout is not None
    line = await process.stdout.readline()
    told = json.loads(line)
    if not isinstance(told, dict):
        raise ValueError("no table")
    return told
