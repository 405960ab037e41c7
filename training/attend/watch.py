"""What the page shows of a run that changes, asked of its socket and read from its folder.

One task asks the socket for all pages together, so fifty pages cost the run no more than one. A
page that reads slowly gets the state as it is when it reads again; what was in between is left out.

`look` runs in a thread, one call at a time; all else runs in the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.training.acts.client import send
from tacit.training.acts.protocol import ActRequest, Envelope
from tacit.training.config.arms import Arm
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.signature_files import objective_states

from .earlier import Point, earlier_points
from .facts import made_visible
from .ledger_rows import act_of, forks_of, mark_of
from .reading.standing import is_read_in_branch
from .standings import Standings

EVERY = 0.1  # seconds from one answer of the run to the next question
SHOWN = 30  # last entries of the ledger that the page lists
MOST_POINTS = 400  # of a seed's curve; when it has more, every second one is dropped
MOST_MARKS = 60  # last entries of the ledger in which acts of people are looked for
MOST_CURVES = 64  # seeds that have ended whose curves are kept, beside all those under way


class Topic(NamedTuple):
    """One thing that pages are told, in its present state.

    Attributes:
        version: that the watch got when this changed last.
        event: name of the server-sent event: `state`, `marks` or `seed` (`events.py`).
        data: its JSON, encoded once for all pages.
    """

    version: int
    event: str
    data: bytes


class Watch:
    """The state of a run, kept up to date while `follow` runs.

    Attributes:
        run: which run.
        state: what `state` tells now: whether the run trains, rounds by seed, latches, last acts.
        version: rises with every change.
        topics: what pages are told, by name, each with the version of its last change.
        curves: the headline along the rounds, by name of the seed (`arm/s0`).
        is_closed: whether the server ends, and with it all streams of events.
        at_close: functions that are called then.
    """

    def __init__(self, run: RunFolder, arms: Mapping[str, Arm]) -> None:
        """A watch that has not looked yet."""
        self.run, self.version, self.state = run, 0, dict[str, Any]()
        self.topics: dict[str, Topic] = {}
        self.curves: dict[str, list[Point]] = {}
        self.is_closed = False
        self.at_close: list[Callable[[], None]] = []
        self._arms = arms
        # By time.monotonic(), when the run was asked the question that it has not answered yet; 0:
        # it has answered.
        self._asked = 0.0
        self._ledger_stamp: tuple[int, int] | None = None  # size and time of change when read last
        self._ledger: dict[str, Any] = {"acts": [], "states": {}}
        self._marks: list[dict[str, Any]] = []
        self._standings = Standings(run, arms)
        # By seed: the branch in which its headline was read last, and the headline.
        self._headlines: dict[str, tuple[int, float | None]] = {}
        # By seed: the last branch in which, by its save, an evaluation point was read.
        self._read_in: dict[str, int] = {}
        self._last_told: dict[str, tuple[int, int]] = {}  # by seed: branch and round, last look
        self._forks: dict[tuple[str, int], int] = {}  # by seed and branch: rounds where it began
        self._changed = asyncio.Event()

    async def follow(self) -> None:
        """Look at the run until cancelled."""
        while True:
            try:
                is_new = await asyncio.to_thread(self.look)
            except Exception as error:  # of a run that was altered, say: it is told on the page
                is_new = self._tell_mistake(error)
            if is_new:
                self._wake()
            await asyncio.sleep(EVERY)

    async def newer_than(self, version: int) -> None:
        """Wait until some topic is newer than a version, or the server ends."""
        while self.version == version and not self.is_closed:
            await self._changed.wait()

    def close(self) -> None:
        """End all streams of events, and call `at_close`."""
        self.is_closed = True
        for end in self.at_close:
            end()
        self._wake()

    def _wake(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()

    def newer_topics(self, version: int) -> list[Topic]:
        """The topics that have changed since a version, the state first."""
        return [topic for topic in list(self.topics.values()) if topic.version > version]

    @property
    def silent_for(self) -> float:
        """Seconds since the run was asked a question that it has not answered; 0: it has."""
        return time.monotonic() - self._asked if self._asked else 0.0

    # --- one look --------------------------------------------------------------------------------

    def look(self) -> bool:
        """Ask the run, read its ledger and its saves; returns whether something has changed."""
        self._asked = time.monotonic()
        try:
            envelope = send(self.run, ActRequest(id=uuid.uuid4().hex, act="status", by="page"))
            answer = None if envelope.detail == "busy: try again." else _alive(envelope)
        except ConfigError as error:
            answer = {"trains": False, "detail": " ".join(error.mistakes), "latches": [],
                      "seeds": {}, "ended": 0}  # fmt: skip
        finally:
            self._asked = 0.0
        if answer is None:
            return False
        before = self.version
        is_new = self._read_ledger()
        if answer["trains"]:
            self._add_points(answer["seeds"])
        state = made_visible(answer | self._ledger)
        if state != self.state:
            self.state = state
            self._tell("state", "state", state)
        if is_new:
            self._tell("marks", "marks", made_visible(self._marks))
        for name, standing in self._standings.changed(answer["seeds"]):
            if is_read_in_branch(standing):
                self._read_in[name] = standing["branch"]
            self._tell(f"seed {name}", "seed", made_visible(standing))
        return self.version > before

    def _tell_mistake(self, error: Exception) -> bool:
        """Put what could not be read into the state; whether it is another mistake than before."""
        detail = f"the page cannot read the run: {type(error).__name__}: {error}"
        state = made_visible({"trains": False, "detail": detail, "latches": [], "seeds": {},
                              "ended": 0, **self._ledger})  # fmt: skip
        if state == self.state:
            return False
        self.state = state
        self._tell("state", "state", state)
        return True

    def _tell(self, name: str, event: str, value: Any) -> None:
        """Replace a topic by its new value."""
        data = json.dumps(value, separators=(",", ":")).encode()
        self.topics[name] = Topic(self.version + 1, event, data)
        self.version += 1  # last: whoever sees the version finds its topic

    def _add_points(self, seeds: Mapping[str, Any]) -> None:
        """Add a point to the curve of every seed whose headline has changed.

        The run says which headline it read last, not when: another value is another reading.
        """
        for name, seed in seeds.items():
            seed.pop("kept", None)  # the page takes it from the seed's last save
            headline = seed["headline"] = self._headline(name, seed)
            if name not in self.curves:
                self.curves[name] = earlier_points(self.run, self._arms, name, MOST_POINTS // 2)
            curve = self.curves[name]
            self._leave_branch(name, seed, curve)
            if headline is not None and (not curve or curve[-1][1] != headline):
                curve.append((seed["round"], headline))
                if len(curve) > MOST_POINTS:
                    del curve[1:-1:2]
        for name in [name for name in self.curves if name not in seeds][:-MOST_CURVES]:
            del self.curves[name]

    def _headline(self, name: str, seed: Mapping[str, Any]) -> float | None:
        """The headline as it was read in the present branch; None until one is.

        After a branch has begun, the run still answers with the headline of the one that was left.
        """
        now: tuple[int, float | None] = (seed.get("branch", 0), seed["headline"])
        branch, known = self._headlines.setdefault(name, now)
        # It is of the present branch if it has changed, or if a save has a point of this branch.
        if now[1] != known or self._read_in.get(name) == now[0]:
            branch, known = self._headlines[name] = now
        return known if branch == now[0] else None

    def _leave_branch(self, name: str, seed: Mapping[str, Any], curve: list[Point]) -> None:
        """Cut from a curve what was read in a branch that the repetition has left."""
        now = (seed.get("branch", 0), seed["round"])
        branch, rounds = self._last_told.get(name, now)
        self._last_told[name] = now
        if now[0] != branch or now[1] < rounds:
            start = min(now[1], self._forks.get((name, now[0]), now[1]))
            curve[:] = [point for point in curve if point[0] <= start]

    def _read_ledger(self) -> bool:
        """Read the ledger again if it was written since; returns whether it was read."""
        try:
            found = self.run.ledger.stat()
            stamp = (found.st_size, found.st_mtime_ns)
            if stamp == self._ledger_stamp:
                return False
            entries = ledgers.read(self.run.ledger)
            states = objective_states(self.run, self._arms)
        except FileNotFoundError:
            return False
        except (ConfigError, OSError) as error:
            self._ledger = {**self._ledger, "ledger_mistake": str(error)}
            return False
        self._ledger_stamp = stamp
        self._ledger = {
            "acts": [act_of(entry) for entry in reversed(entries[-SHOWN:])],
            "states": {name: state.text for name, state in states.items()},
        }
        self._forks = dict(fork for entry in entries for fork in forks_of(entry))
        self._marks = [mark for entry in entries[-MOST_MARKS:] if (mark := mark_of(entry))]
        return True


def _alive(envelope: Envelope) -> dict[str, Any]:
    """What a run that trains says of itself."""
    screen = envelope.screen
    return {
        "trains": True,
        "detail": envelope.detail,
        "latches": screen.get("latches", []),
        "seeds": screen.get("seeds", {}),
        "ended": screen.get("ended", 0),
    }
