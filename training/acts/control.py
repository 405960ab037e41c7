"""What can be done to a run that trains: hold it, let it step, release it, stop it.

Several *latches* can hold a run, and each is released only by its own act: `person` by `resume`,
`breaker` by `resume --latch breaker`. As long as `person` is set, no repetition begins a round;
`breaker` holds only the repetitions in which a breaker has tripped. The control knows every
repetition under way by its gate (`gate.py`); `tacit.training.acts` gives it a socket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.oversight.ledger import Ledger
from tacit.training.config.arms import Arm

from .gate import LOOK, Gate

PERSON, BREAKER = "person", "breaker"  # latches
MOST_KEPT = 200  # kept states of a repetition that `screen` names, the last ones

Seed = tuple[str, int]  # the name of an arm, and the number of the repetition
Serve = Callable[["RunControl"], AbstractContextManager[bool]]  # yields whether it can be reached


class RunControl:
    """The repetitions of a run that are under way, and what holds them.

    Attributes:
        ledger: of the run; acts are recorded in it before they take effect. None: not training.
        arms: what is trained, by name, as it was configured.
        latches: what holds the run, in order.
        pace: rounds a second at which repetitions begin; None: as many as they can.
        stopped_by: who stopped it, and why, as one text; None: nobody.
        headlines: each repetition's headline measure at its last evaluation point.
        finished: repetitions that ended since training began, in order.
    """

    def __init__(self, serve: Serve | None = None) -> None:
        """Nothing is under way.

        Args:
            serve: opens a way for others to reach this control while the run trains, such as a
                socket, and yields whether it could; None: only this process can.
        """
        self.ledger: Ledger | None = None
        self.arms: Mapping[str, Arm] = {}
        self.pace: float | None = None
        self.latches: list[str] = []
        self.stopped_by: str | None = None
        self.headlines: dict[Seed, float] = {}
        self.finished: list[Seed] = []
        self._serve, self._is_reachable = serve, False
        self._gates: dict[Seed, Gate] = {}
        self._lock = threading.RLock()

    # --- training --------------------------------------------------------------------------------

    @contextmanager
    def training(self, ledger: Ledger, arms: Mapping[str, Arm] | None = None) -> Iterator[None]:
        """Within, the run trains and can be reached.

        Args:
            ledger: of the run.
            arms: what is trained, by name.
        """
        self.ledger, self.arms = ledger, arms or {}
        try:
            with nullcontext(False) if self._serve is None else self._serve(self) as reachable:
                self._is_reachable = reachable
                yield
        finally:
            self.ledger, self._is_reachable = None, False

    @contextmanager
    def seed(self, seed: Seed, gate: Gate) -> Iterator[None]:
        """Within, a repetition is under way behind its gate."""
        with self._lock:
            self._gates[seed] = gate
            gate.is_attended = self._is_reachable
            if self.is_stopped:  # since the caller looked
                gate.stop()
            if self.latches:
                gate.shut()
            if self.pace is not None:
                gate.set_pace(self.pace)
        try:
            yield
        finally:
            with self._lock:
                del self._gates[seed]
            gate.end()

    def reports(self, seed: Seed, headline: float, ended: bool) -> None:
        """Note the progress of a repetition.

        Args:
            seed: which.
            headline: the market's headline measure at an evaluation point; NaN between two points.
            ended: this is its last report.
        """
        if headline == headline:  # not NaN
            self.headlines[seed] = headline
        if ended:
            self.finished.append(seed)

    @property
    def is_stopped(self) -> bool:
        """Whether somebody stopped the run."""
        return self.stopped_by is not None

    # --- acts ------------------------------------------------------------------------------------

    def seeds(self) -> dict[Seed, Gate]:
        """The gates of all repetitions under way, in order of their names."""
        with self._lock:
            return dict(sorted(self._gates.items()))

    def hold(self, latch: str) -> None:
        """Set a latch."""
        with self._lock:
            if latch not in self.latches:
                self.latches.append(latch)
            for gate in self._gates.values():
                gate.shut()

    def release(self, latch: str) -> None:
        """Release a latch; the run goes on when no other is set."""
        with self._lock:
            if latch in self.latches:
                self.latches.remove(latch)
            if not self.latches:
                for gate in self._gates.values():
                    gate.open()

    def held_by_breakers(self) -> dict[Seed, Gate]:
        """The gates of the repetitions that a breaker holds."""
        return {seed: gate for seed, gate in self.seeds().items() if gate.facts.get("breaker")}

    def release_breakers(self, seeds: Mapping[Seed, Gate]) -> None:
        """Have repetitions that a breaker holds go on.

        Each records its release in the ledger itself.

        Raises:
            ConfigError: some could not record it, or did not answer (`Gate.answer`). These stay in
                `held_by_breakers`, and all others go on.
        """
        asked = {
            (arm, k): gate.submit({"do": "release", "arm": arm, "seed": k})
            for (arm, k), gate in seeds.items()
        }
        mistakes: list[str] = []
        for (arm, k), future in asked.items():
            try:
                seeds[arm, k].answer(future)
            except Exception as error:
                own = error.mistakes if isinstance(error, ConfigError) else [repr(error)]
                mistakes += [f"{arm}/s{k}: {line}" for line in own]
        if mistakes:
            raise ConfigError(mistakes)

    def step(self, rounds: int) -> None:
        """Let every repetition that is held play so many rounds."""
        with self._lock:
            for gate in self._gates.values():
                gate.step(rounds)

    def stop(self, by: str) -> None:
        """Have every repetition save and return."""
        with self._lock:
            self.stopped_by = by
            for gate in self._gates.values():
                gate.stop()

    def wait_until_held(self, seconds: float) -> bool:
        """Wait until every repetition under way is held.

        Some may end meanwhile, and others begin, so they are listed anew each time.

        Args:
            seconds: after which no further look of LOOK seconds begins.

        Returns:
            Whether they are.
        """
        deadline = time.monotonic() + seconds
        while not all(gate.wait_until_held(LOOK) for gate in self.seeds().values()):
            if time.monotonic() >= deadline:
                return False
        return True

    def screen(self, with_kept: bool = False) -> dict[str, Any]:
        """What a person sees of the run now: rounds and headline by repetition, and latches.

        Args:
            with_kept: also the rounds of the states to which each repetition can go back.
        """

        def kept(gate: Gate) -> dict[str, Any]:
            return {"kept": gate.facts.get("kept", [0])[-MOST_KEPT:]} if with_kept else {}

        return {
            "latches": [*self.latches, *[BREAKER] * bool(self.held_by_breakers())],
            "seeds": {
                f"{arm}/s{k}": {
                    "round": gate.rounds,
                    "held": gate.is_held,
                    "headline": self.headlines.get((arm, k)),
                    "branch": gate.facts.get("branch", 0),
                    "pace": gate.pace,
                    **({"breaker": own} if (own := gate.facts.get("breaker")) else {}),
                    **kept(gate),
                }
                for (arm, k), gate in self.seeds().items()
            },
            "ended": len(self.finished),
        }
