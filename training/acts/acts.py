"""The acts themselves. Each but `status` is in the run's ledger before it takes effect.

| act | does |
|---|---|
| status | changes nothing; the answer has rounds, headlines and latches |
| pause | sets the latch `person`: every repetition ends the round under way and waits |
| step | lets every repetition that waits play so many rounds |
| resume | releases the latch `person`; or `breaker`: of the repetitions that are meant |
| stop | every repetition saves and ends; `tacit resume` goes on |
| ask | records a question, with what was on the screen; changes nothing |
| pace | sets how many rounds a second are played |
| rollback, reweight, redirect | a branch begins in every repetition that is meant (`forks.py`) |
| override, veto | the next round is played with another action (`forcing.py`) |
| trip | what a breaker would do, done now: its rollback (`forks.py`) |
"""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from typing import Any

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.training.acts.control import BREAKER, PERSON, RunControl, Seed

from .changing import Change, changing, targets
from .forks import in_full
from .gate import Gate
from .protocol import READS, ActRequest, Envelope
from .schedule import ACT

PATIENCE = 10.0  # seconds that the answer to a pause or a step waits for every seed to be held


class Acts:
    """Acts on one run, in the order of its ledger; those that change what is learned one at a time.

    Attributes:
        target: the run's name.
        control: of the run.
    """

    def __init__(self, target: str, control: RunControl) -> None:
        """Read which acts the run's ledger holds already; these are not done again.

        Raises:
            ConfigError: the ledger cannot be read.
        """
        self.target, self.control = target, control
        self._lock = threading.Lock()  # of the answers
        self._acting, self._asking = threading.Lock(), threading.Lock()  # `_of`
        self._answers: dict[str, Future[Envelope]] = {}  # by id of the act
        self._known: set[str] = set()  # ids in the ledger
        self._lint: dict[str, list[str]] = {}  # what lint said of a KPI, by its hash
        if control.ledger is not None and control.ledger.path.exists():
            entries = ledgers.read(control.ledger.path)
            self._known = {str(e.get("id")) for e in entries if e.get("act") == ACT}

    def do(self, request: ActRequest) -> Envelope:
        """Do what is asked, once; an id that was answered before gets the same answer again.

        Raises:
            ConfigError: it cannot be done now, cannot be recorded, or its id is in the ledger and
                was not answered here: nothing was done. Or an act that was recorded could not be
                done in every repetition (`Change.apply`, `RunControl.release_breakers`).
        """
        request = in_full(request, self.control.arms)
        if request.act in READS:
            return self._envelope(request, False, self._held_text())
        answer = Future[Envelope]()
        with self._lock:
            known = self._answers.get(request.id)
            if known is None and request.id in self._known:
                raise ConfigError(f"id: {request.id} was done already, by an earlier command.")
            if known is None and not request.dry_run:
                self._answers[request.id] = answer
        if known is not None:
            return known.result()
        if request.dry_run:
            return self._tried(request)
        try:
            change = self._done(request)
        except BaseException as error:
            with self._lock:  # not done: asked again, it is refused if the ledger has it
                del self._answers[request.id]
            answer.set_exception(error)
            raise
        # Without a lock, seeds are waited for: a stop must not wait for a long step.
        try:
            outcome = change.text if change else self._outcome(request)
            answer.set_result(self._envelope(request, True, outcome, change))
        except BaseException as error:
            answer.set_exception(error)
            raise
        return answer.result()

    def _tried(self, request: ActRequest) -> Envelope:
        """What a dry run answers."""
        with self._of(request):
            self._check(request)
            if not request.is_change:
                told, change = self._intent(request), None
            else:
                with changing(self.control, request) as change:
                    told = f"do this: {change.text}"
        return self._envelope(request, False, f"would {told}", change)

    def _done(self, request: ActRequest) -> Change | None:
        """Do an act that was not done before; returns what it changed of what is learned."""
        with self._of(request):
            self._check(request)
            if request.is_change:
                return self._change(request)
            self._record(request, self.control.screen())
            self._apply(request)
        return None

    def _of(self, request: ActRequest) -> threading.Lock:
        """The lock under which an act is done.

        Acts for which seeds are asked, one after the other or for seconds, have one of their own:
        pause and stop must not wait for them.
        """
        return self._asking if request.is_change or request.latch == BREAKER else self._acting

    def _check(self, request: ActRequest) -> None:
        """Check that an act can be done now.

        Raises:
            ConfigError: it cannot.
        """
        if (detail := self._refusal(request)) is not None:
            raise ConfigError(detail)

    def _change(self, request: ActRequest) -> Change:
        """Change what is learned.

        Raises:
            ConfigError: it cannot be done, or cannot be recorded: nothing was done. Or it was
                recorded, and could not be made in every repetition (`Change.apply`).
        """
        seen = self.control.screen()  # as the person saw it: seeds are not held for the act yet
        with changing(self.control, request) as change:
            self._record(request, seen, change.changes)
            change.apply()
        return change

    # --- parts -----------------------------------------------------------------------------------

    def _refusal(self, request: ActRequest) -> str | None:
        """Why an act cannot be done now; None: it can.

        Raises:
            ConfigError: a pace for an unknown arm or seed, or for one that is not under way.
        """
        control = self.control
        if control.ledger is None or control.is_stopped:
            return f"{request.act}: {self.target} is not training any more."
        if request.act == "step" and PERSON not in control.latches:
            return "step: the run is not paused; pause it first."
        if request.act == "resume" and request.latch == BREAKER:
            return None if self._released(request) else "resume: no breaker holds such a seed."
        if request.act == "resume" and (request.arm or request.seed is not None):
            return "resume: the latch person holds all seeds; leave out arm and seed."
        if request.act == "resume" and PERSON not in control.latches:
            return f"resume: the run is not paused by a person ({self._held_text()})."
        if request.act == "pace":
            self._paced(request)
        # While a step is still being played, the run is not paused: a pause ends the step.
        if request.act == "pause" and PERSON in control.latches and control.wait_until_held(0.0):
            return "pause: the run is paused already."
        return None

    def _intent(self, request: ActRequest) -> str:
        """What an act does, in words."""
        seeds = len(self.control.seeds())
        if request.latch == BREAKER:
            seeds = len(self._released(request))
        return {
            "pause": f"hold {seeds} seeds after the round that each is playing",
            "step": f"let {seeds} seeds play {request.rounds:,} rounds",
            "resume": f"let {seeds} seeds go on",
            "stop": f"have {seeds} seeds save and end",
            "ask": "record the question",
            "pace": f"let seeds play {_pace_text(request)}",
        }[request.act]

    def _record(
        self,
        request: ActRequest,
        screen: dict[str, Any],
        changes: list[dict[str, Any]] | None = None,
    ) -> None:
        """Write the act into the ledger.

        Args:
            request: the act.
            screen: what the person saw of the run (`RunControl.screen`).
            changes: what it changes in what is learned, an entry for each repetition.

        Raises:
            ConfigError: the run has ended, or the system refuses; then nothing has changed.
        """
        ledger = self.control.ledger
        if ledger is None:
            raise ConfigError(f"{request.act}: {self.target} is not training any more.")
        after = _latches_after(request, screen["latches"])
        held = self.control.held_by_breakers()
        # The latch `breaker` is set until the last repetition that it holds is released.
        if request.latch == BREAKER and len(self._released(request)) == len(held):
            after = [latch for latch in after if latch != BREAKER]
        ledger.append(
            ACT,
            id=request.id,
            what=request.act,
            by=request.by,
            reason=request.reason,
            before={"latches": screen["latches"]},
            after={"latches": after},
            rounds=request.rounds if request.act == "step" else 0,
            screen=screen,
            **(
                {"releases": sorted(f"{arm}/s{k}" for arm, k in self._released(request))}
                if request.latch == BREAKER
                else {}
            ),
            **({"changes": changes} if changes else {}),
            **({"pace": request.pace} if request.act == "pace" else {}),
        )
        self._known.add(request.id)  # it is in the ledger, also if what follows fails

    def _apply(self, request: ActRequest) -> None:
        """Let an act take effect."""
        control = self.control
        if request.act == "pause":
            control.hold(PERSON)
        elif request.act == "step":
            control.step(request.rounds)
        elif request.act == "resume" and request.latch == BREAKER:
            control.release_breakers(self._released(request))
        elif request.act == "resume":
            control.release(PERSON)
        elif request.act == "pace":
            self._set_pace(request)
        elif request.act == "stop":
            why = f": {request.reason}" if request.reason else ""
            control.stop(f"{request.by}{why}")

    def _released(self, request: ActRequest) -> dict[Seed, Gate]:
        """Of the repetitions that a request is about, those that a breaker holds."""
        return {
            (arm, k): gate
            for (arm, k), gate in self.control.held_by_breakers().items()
            if request.arm in ("", arm) and request.seed in (None, k)
        }

    def _set_pace(self, request: ActRequest) -> None:
        """Set the pace of the repetitions that are meant; if all are, also of those to come."""
        if not request.arm and request.seed is None:
            self.control.pace = request.pace
        for gate in self._paced(request):
            gate.set_pace(request.pace)

    def _paced(self, request: ActRequest) -> list[Gate]:
        """The repetitions whose pace is meant: without an arm and a seed, all.

        Raises:
            ConfigError: an unknown arm or seed, or one that is not under way.
        """
        every = not request.arm and request.seed is None
        gates = self.control.seeds() if every else targets(self.control, request)[0]
        return list(gates.values())

    def _outcome(self, request: ActRequest) -> str:
        """What became of an act, in words; a pause or a step first waits until seeds are held."""
        if request.act == "stop":
            return "every seed saves and ends"
        if request.act == "ask":
            return "recorded"
        if request.act == "pace":
            return f"seeds play {_pace_text(request)}"
        if request.act in ("pause", "step") and not self.control.wait_until_held(PATIENCE):
            return f"{self._held_text()}; some seeds are not at a round's end yet"
        return self._held_text()

    def _held_text(self) -> str:
        latches = self.control.screen()["latches"]
        return f"held by: {', '.join(latches)}" if latches else "held by nothing: it trains"

    def _envelope(
        self, request: ActRequest, applied: bool, detail: str, change: Change | None = None
    ) -> Envelope:
        screen = self.control.screen(with_kept=True)
        return Envelope(
            id=request.id,
            act=request.act,
            target=self.target,
            applied=applied,
            dry_run=request.dry_run,
            round={name: seed["round"] for name, seed in screen["seeds"].items()},
            detail=detail,
            screen=screen,
            changes=change.changes if change else [],
            preview=change.preview(self.control.arms, self._lint) if change else [],
        )


def refused(target: str, line: bytes, error: ConfigError) -> Envelope:
    """The envelope of a request that was refused."""
    known: dict[str, Any] = _told(line)
    return Envelope(
        id=str(known.get("id", ""))[:64],
        act=str(known.get("act", ""))[:64],
        target=target,
        applied=False,
        dry_run=known.get("dry_run") is True,
        round={},
        detail=" ".join(error.mistakes),
        refused=True,
    )


def _told(line: bytes) -> dict[str, Any]:
    """The fields of a request that is refused, as far as its line can be parsed."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _latches_after(request: ActRequest, before: list[str]) -> list[str]:
    """Which latches are set once an act has taken effect."""
    if request.act == "pause":
        return before if PERSON in before else [*before, PERSON]
    if request.act == "resume" and request.latch == PERSON:
        return [latch for latch in before if latch != PERSON]
    return before


def _pace_text(request: ActRequest) -> str:
    return "at full speed" if request.pace is None else f"{request.pace:g} rounds a second"
