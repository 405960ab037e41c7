"""An act that changes what is learned, in all the repetitions that it is about, or in none.

with changing(control, request) as asked:      # within, these repetitions play no round
    asked.changes                              # what it would change; every mistake is found by now
    ...                                        # it is written into the ledger
    asked.apply()
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arms import Arm
from tacit.training.config.in_force import arm_in_force
from tacit.training.outcome.linting import preview

from .control import RunControl, Seed
from .forcing import forced_text, is_force
from .forks import fork_text
from .gate import Gate, Reply
from .protocol import FORCES, ActRequest

MADE = 120.0  # seconds that a repetition gets for making a change that is recorded
SHOWN = 4  # repetitions of an act that are described one by one


class Change:
    """An act that was looked at.

    Attributes:
        changes: what it changes, an entry for each repetition, as the ledger holds it.
    """

    def __init__(self, request: ActRequest, gates: Mapping[Seed, Gate], left: str) -> None:
        """Look at an act in repetitions that are reserved.

        Args:
            request: the act.
            gates: of the repetitions.
            left: which repetitions of the arm it does not reach, in words.

        Raises:
            ConfigError: it cannot be done in one of them.
        """
        self._request, self._gates, self._left = request, gates, left
        asked = request.model_dump(by_alias=True)
        self._replies: dict[Seed, Reply] = {}
        mistakes: dict[str, None] = {}
        # All are asked before the first answer is waited for: they look side by side.
        orders = {
            (arm, k): gate.submit({"do": "look", "arm": arm, "seed": k, "request": asked})
            for (arm, k), gate in gates.items()
        }
        for seed, future in orders.items():
            try:
                self._replies[seed] = gates[seed].answer(future)
            except ConfigError as error:
                mistakes |= dict.fromkeys(error.mistakes)
        if mistakes:
            raise ConfigError(list(mistakes))
        self.changes: list[dict[str, Any]] = [
            {"arm": arm, "seed": k, **reply["change"]} for (arm, k), reply in self._replies.items()
        ]

    def apply(self) -> None:
        """Make the changes, which are in the ledger.

        Raises:
            ConfigError: a repetition could not make its change, or not within MADE seconds. The
                ledger holds it, so it is made when the run is resumed.
        """
        mistakes: list[str] = []
        orders = {
            (arm, k): gate.submit(
                {"do": "apply", "arm": arm, "seed": k, "change": self._replies[arm, k]["change"]}
            )
            for (arm, k), gate in self._gates.items()
        }
        for (arm, k), future in orders.items():
            try:
                self._gates[arm, k].answer(future, MADE)
            except Exception as error:
                own = error.mistakes if isinstance(error, ConfigError) else [repr(error)]
                mistakes += [f"{arm}/s{k}: {line}" for line in own]
        if mistakes:
            advice = "It is in the ledger, so it is done when the run is resumed."
            raise ConfigError([*mistakes, advice])

    @property
    def text(self) -> str:
        """What it changes, in words."""
        lines = [
            f"{c['arm']}/s{c['seed']}: {forced_text(c) if is_force(c) else fork_text(c)}"
            for c in self.changes[:SHOWN]
        ]
        if len(self.changes) > SHOWN:
            lines.append(f"and {len(self.changes) - SHOWN} seeds more")
        return "; ".join([*lines, *([self._left] if self._left else [])])

    def preview(self, arms: Mapping[str, Arm], known: dict[str, list[str]]) -> list[str]:
        """What is known of the change before it is made, a line each.

        Args:
            arms: of the run.
            known: what lint has said of objectives, by their hashes; it is added to.
        """
        lines = [line for reply in self._replies.values() for line in reply["preview"]]
        if self._request.act in FORCES:
            return lines
        for (name, _), reply in self._replies.items():
            if not any(key.startswith("kpi.") for key in reply["change"]["after"]):
                continue
            arm = arm_in_force(arms[name], [*reply["trips"], reply["change"]])
            if arm.kpi_hash not in known:
                known[arm.kpi_hash] = preview(arm)
            lines += [f"lint of the new KPI: {line}" for line in known[arm.kpi_hash]]
        return list(dict.fromkeys(lines))


@contextmanager
def changing(control: RunControl, request: ActRequest) -> Iterator[Change]:
    """Within, the repetitions that an act is about play no round.

    Raises:
        ConfigError: there are none, or the act cannot be done in one of them.
    """
    gates, left = targets(control, request)
    if request.act in FORCES:
        for (arm, k), gate in gates.items():
            if not (gate.is_shut and gate.is_held):
                raise ConfigError(
                    f"{request.act}: {arm}/s{k} is not held; pause it first, so that its next "
                    "round is the one that you mean."
                )
    with ExitStack() as reserved:
        for gate in gates.values():
            reserved.enter_context(gate.reserved())
        yield Change(request, gates, left)


def targets(control: RunControl, request: ActRequest) -> tuple[dict[Seed, Gate], str]:
    """The repetitions that an act is about, and which of its arm it does not reach, in words.

    Raises:
        ConfigError: an unknown arm or seed, or one that is not under way.
    """
    gates = control.seeds()
    names = list(control.arms) or list(dict.fromkeys(arm for arm, _ in gates))
    if request.arm and request.arm not in names:
        raise ConfigError(f"arm: unknown '{request.arm}'. {nearest(request.arm, names)}")
    if not request.arm and len(names) != 1:
        raise ConfigError(f"arm: must name one of {', '.join(names)}.")
    name = request.arm or names[0]
    own = {seed: gate for seed, gate in gates.items() if seed[0] == name}
    seeds = control.arms[name].seeds if name in control.arms else len(own)
    ended = {k for arm, k in control.finished if arm == name}
    if request.seed is None:
        if not own:
            raise ConfigError(f"seed: no seed of arm {name} is under way.")
        waiting = seeds - len(own) - len(ended)
        left = [f"{len(ended)} have ended"] if ended else []
        left += [f"{waiting} have not begun"] if waiting > 0 else []
        return own, f"not reached of arm {name}: {', '.join(left)}" if left else ""
    if request.seed >= seeds:
        raise ConfigError(f"seed: arm {name} has seeds 0 to {seeds - 1}, got {request.seed}.")
    if (name, request.seed) not in own:
        what = "has ended" if request.seed in ended else "has not begun, or has ended"
        raise ConfigError(f"seed: seed {request.seed} of arm {name} {what}; nothing was changed.")
    return {(name, request.seed): own[name, request.seed]}, ""
