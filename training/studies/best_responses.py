"""`tacit best-response RUN`: every seat's gain from leaving its learned policy, over seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tacit.emergence import stats
from tacit.emergence.play import best_response
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.analysis import Analysis
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Market
from tacit.training.config.arms import Arm
from tacit.training.runs import checkpoint
from tacit.training.runs.load_run import choose_arm, learned_group, read_experiment
from tacit.training.runs.probing import population_of
from tacit.training.runs.run_folder import RunFolder


@dataclass(frozen=True)
class ResponseRow:
    """One seat in one payoff: means over seeds, per round; `exact`: in every seed."""

    arm: str
    seat: str
    payoff: str
    own: Estimate
    best: Estimate
    gain: Estimate
    exact: bool

    def cells(self) -> dict[str, str]:
        """As a line of the table."""
        return {
            "arm": self.arm, "seat": self.seat, "payoff": self.payoff,
            "as learned": number(self.own.mean), "best response": number(self.best.mean),
            "gain": number(self.gain.mean), "95 %": interval(self.gain), "n": str(self.gain.n),
            "found": "exactly" if self.exact else "learned",
        }  # fmt: skip

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        means = {"own": self.own, "best": self.best, "gain": self.gain}
        head = {"arm": self.arm, "seat": self.seat, "payoff": self.payoff, "exact": self.exact}
        return head | {name: estimate.plain() for name, estimate in means.items()}


def best_responses(
    run: RunFolder, seat: str | None, arms: Sequence[str]
) -> tuple[list[ResponseRow], str]:
    """Rows by arm, seat and payoff, and the line that says how to read them.

    Raises:
        ConfigError: an arm or a seat that is not there, seeds without a finished checkpoint.
    """
    experiment = read_experiment(run)
    chosen = [choose_arm(experiment, name) for name in arms] or list(experiment.arms.values())
    _check(run, chosen, seat)
    rows = [row for arm in chosen for row in _rows(run, arm, seat)]
    return rows, _note(chosen[0].market, rows)


def _check(run: RunFolder, arms: Sequence[Arm], seat: str | None) -> None:
    mistakes = []
    for arm in arms:
        names = [s.name for s in arm.market.seats]
        if seat is not None and seat not in names:
            mistakes.append(f"--seat: unknown '{seat}' in arm {arm.name}. {nearest(seat, names)}")
        left = [
            k
            for k in range(arm.seeds)
            if checkpoint.read_record(run.checkpoint(arm.name, k)) is None
        ]
        if left:
            mistakes.append(
                f"{run.path}: arm {arm.name} has no finished checkpoint of {len(left)} of its "
                f"{arm.seeds} seeds; tacit resume {run.name}"
            )
    if mistakes:
        raise ConfigError(mistakes)


def _rows(run: RunFolder, arm: Arm, seat: str | None) -> list[ResponseRow]:
    seats = [s.index for s in arm.market.seats if seat in (None, s.name)]
    found: dict[tuple[str, str], list[best_response.Response]] = {}
    for k in range(arm.seeds):
        population = population_of(arm, k, learned_group(run, arm, k))
        for response in best_response.best_responses(population, seats):
            found.setdefault((response.seat, response.payoff), []).append(response)
    return [
        ResponseRow(
            arm.name, name, payoff, stats.student([r.own for r in own]),
            stats.student([r.best for r in own]), stats.student([r.gain for r in own]),
            all(r.exact for r in own),
        )
        for (name, payoff), own in found.items()
    ]  # fmt: skip


def _note(market: Market, rows: Sequence[ResponseRow]) -> str:
    text = (
        "Payoffs per round, the others' policies frozen. The gain in the KPI says how well a seat "
        "has learned what it is paid for; the gain in its fundamental what it would earn if it "
        "looked after itself."
    )
    if all(row.exact for row in rows):
        discount = f"a round later weighs {(market.analysis_class or Analysis).probe_discount:g}"
        return f"{text} Exact, by value iteration from where play settles; {discount}."
    return (
        f"{text} 'learned' is a lower bound: a Q-learner took the seat, and its policy was played "
        "against the old one with the same luck."
    )
