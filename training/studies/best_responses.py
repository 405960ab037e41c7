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
from tacit.training.outcome.probing import learned_population
from tacit.training.storage import checkpoint
from tacit.training.storage.load_run import choose_arm, read_experiment
from tacit.training.storage.run_folder import RunFolder


@dataclass(frozen=True)
class ResponseRow:
    """One seat in one payoff.

    Attributes:
        arm: the arm.
        seat: whose policy.
        payoff: `kpi` or `fundamental`.
        own: what the learned policy earns per round, in the payoff's unit, over seeds.
        best: the same of the best response.
        gain: their difference.
        exact: found by value iteration in every seed; otherwise `best` and `gain` are lower bounds.
    """

    arm: str
    seat: str
    payoff: str
    own: Estimate
    best: Estimate
    gain: Estimate
    exact: bool

    def cells(self) -> dict[str, str]:
        """The row of the table."""
        return {
            "arm": self.arm,
            "seat": self.seat,
            "payoff": self.payoff,
            "as learned": number(self.own.mean),
            "best response": number(self.best.mean),
            "gain": number(self.gain.mean),
            "95 %": interval(self.gain),
            "n": str(self.gain.n),
            "found": "exactly" if self.exact else "learned",
        }

    def plain(self) -> dict[str, Any]:
        """The row as JSON."""
        means = {"own": self.own, "best": self.best, "gain": self.gain}
        head = {"arm": self.arm, "seat": self.seat, "payoff": self.payoff, "exact": self.exact}
        return head | {name: estimate.plain() for name, estimate in means.items()}


def best_responses(
    run: RunFolder, seat: str | None, arms: Sequence[str]
) -> tuple[list[ResponseRow], str]:
    """Best responses of the seats of a trained run.

    Args:
        run: its folder.
        seat: the only seat; by default all.
        arms: the only arms; by default all.

    Returns:
        Rows by arm, seat and payoff, and the line that says how to read them.

    Raises:
        ConfigError: an arm or a seat that is not there, or seeds without a finished checkpoint.
    """
    experiment = read_experiment(run)
    chosen = [choose_arm(experiment, name) for name in arms] or list(experiment.arms.values())
    _check(run, chosen, seat)
    rows = [row for arm in chosen for row in _rows(run, arm, seat)]
    return rows, _note(chosen[0].market, rows)


def _check(run: RunFolder, arms: Sequence[Arm], seat: str | None) -> None:
    """Report all that is missing at once, before anything is computed."""
    mistakes = []
    for arm in arms:
        names = [s.name for s in arm.market.seats]
        if seat is not None and seat not in names:
            mistakes.append(f"--seat: unknown '{seat}' in arm {arm.name}. {nearest(seat, names)}")
        records = [checkpoint.read_record(run.checkpoint(arm.name, k)) for k in range(arm.seeds)]
        unfinished = sum(record is None for record in records)
        if unfinished:
            mistakes.append(
                f"{run.path}: arm {arm.name} has no finished checkpoint of {unfinished} of its "
                f"{arm.seeds} seeds; {run.resume}"
            )
    if mistakes:
        raise ConfigError(mistakes)


def _rows(run: RunFolder, arm: Arm, seat: str | None) -> list[ResponseRow]:
    seats = [s.index for s in arm.market.seats if seat in (None, s.name)]
    found: dict[tuple[str, str], list[best_response.BestResponse]] = {}
    for k in range(arm.seeds):
        population = learned_population(run, arm, k)
        for response in best_response.best_responses(population, seats):
            found.setdefault((response.seat, response.payoff), []).append(response)
    return [
        ResponseRow(
            arm=arm.name,
            seat=name,
            payoff=payoff,
            own=stats.student([response.own for response in seeds]),
            best=stats.student([response.best for response in seeds]),
            gain=stats.student([response.gain for response in seeds]),
            exact=all(response.exact for response in seeds),
        )
        for (name, payoff), seeds in found.items()
    ]


def _note(market: Market, rows: Sequence[ResponseRow]) -> str:
    """How to read the table."""
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
