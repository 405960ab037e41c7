"""What a person earned, beside the seat's trained policy and a best response to the others.

The best response is to the others' frozen policies, in the seat's KPI, over as many rounds as were
finished. In this order:

1. Where no round touches a later one, the round is enumerated (`tacit.emergence.tree.best_reply`).
   The best reply is a policy table, which plays the session's rounds with the session's draws.
2. Else on the joint chain from the state where the session began (`tacit.emergence.play.chain`):

       V_n(x) = max_a (r(x, a) + sum_r p(r) V_{n-1}(next(x, a, r))),   V_0 = 0

   with n the rounds that are left. It knows the market's state and when the session ends. Where
   nothing is drawn, V is what it would have earned; else its expected value.
3. Else, and where payoffs depend on a lottery within a round, it is withheld with the reason.

The share is earned / best; where the best is not above 0, a share says nothing and is withheld.
Source of the backward induction: Puterman, Markov Decision Processes, Wiley 1994, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.emergence.objective.patient_regret import rounds_are_independent
from tacit.emergence.play.applicability import why_no_chain, why_no_stage_game
from tacit.emergence.play.best_response import is_linear
from tacit.emergence.play.chain import DecisionProblem, build_chain
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.best_reply import best_reply
from tacit.emergence.tree.enumeration import enumerate_round
from tacit.emergence.tree.initial_states import state_without_past
from tacit.emergence.tree.payoff_history import nature_persists
from tacit.emergence.tree.round_tree import played_actions
from tacit.envs.errors import ConfigError
from tacit.envs.types import Floats

from .rounds import earned_by, engine_of
from .session import PlaySession

SMALLEST = 1e-9  # a best response that earns no more has no shares
LEARNING = "the others went on learning, so there are no fixed policies to respond to"
NO_ROUND = "no round was finished"
LOTTERY = "payoffs depend on a lottery within a round, whose mean the market does not compute"
LASTING = "what nature draws lasts from round to round, so no round stands for all"
SAME_DRAWS = "with the same draws"
NOTHING_DRAWN = "in the same rounds, in which nothing is drawn"
EXPECTED = "expected over what is drawn"


@dataclass(frozen=True)
class Best:
    """What a best response earns in the rounds of a session, in the KPI's unit.

    Attributes:
        total: in all rounds together.
        per_round: expected, per round.
        basis: SAME_DRAWS, NOTHING_DRAWN or EXPECTED.
        table: its policy, float64 `[O, A]`; None where it depends on more than the seat observes.
    """

    total: float
    per_round: float
    basis: str
    table: PolicyTable | None = None


@dataclass(frozen=True)
class Score:
    """What a session brought, over its finished rounds.

    Attributes:
        rounds: how many.
        earned: what the KPI paid the person.
        fundamental: the person's sum of the measure by which harm to its role is judged.
        trained: what the KPI pays the seat's trained policy in the same rounds with the same draws;
            None where the others went on learning.
        trained_fundamental: its sum of the fundamental.
        best: the best response; None: it is withheld.
        reason: why it is, or why there is no share.
    """

    rounds: int
    earned: float
    fundamental: float
    trained: float | None = None
    trained_fundamental: float | None = None
    best: Best | None = None
    reason: str | None = None

    @property
    def share(self) -> float | None:
        """The share of what the best response earns; None where there is none."""
        if self.best is None or self.best.total <= SMALLEST:
            return None
        return self.earned / self.best.total

    @property
    def trained_share(self) -> float | None:
        """The same of the trained policy."""
        if self.best is None or self.trained is None or self.best.total <= SMALLEST:
            return None
        return self.trained / self.best.total


def score_of(session: PlaySession) -> Score:
    """The score of the rounds that a session has finished."""
    market, seat, rounds = session.arm.market, session.seat, len(session.played)
    column = market.columns[seat.role.fundamental]
    fundamental = 0.0
    for played in session.played:  # in the order in which the engine adds them up
        fundamental += float(played.measures[seat.index, column])
    own = Score(rounds, session.total, fundamental)
    if rounds == 0:
        return replace(own, reason=NO_ROUND)
    if session.learning:
        return replace(own, reason=LEARNING)
    sums = earned_by(session.population, session.name, rounds)
    reward = sums.scores.shape[1] - len(market.seats) + seat.index
    own = replace(
        own,
        trained=float(sums.scores[0, reward]),
        trained_fundamental=float(sums.measures[0, seat.index, column]),
    )
    try:
        best = best_of(session.population, seat.index, session.name, rounds)
    except ConfigError as error:
        # What follows a semicolon is advice on other figures, for those who read verdicts.
        return replace(own, reason=error.mistakes[0].partition(";")[0].rstrip("."))
    if best.total <= SMALLEST:
        return replace(own, best=best, reason="the best response earns nothing or less here")
    return replace(own, best=best)


def best_of(population: FrozenPopulation, seat: int, name: str, rounds: int) -> Best:
    """What a best response to frozen policies earns in so many rounds of a session.

    Args:
        population: everybody's tables, where training left the market.
        seat: the index of the seat that responds.
        name: of the session.
        rounds: how many.

    Raises:
        ConfigError: it cannot be computed exactly; the reason.
    """
    market, kpi = population.market, population.kpi
    is_stage_game = why_no_stage_game(market, "draws, memoryless") is None
    if is_stage_game and rounds_are_independent(market, kpi):
        if nature_persists(market):
            raise ConfigError(LASTING)
        return _in_each_round(population, seat, name, rounds)
    return _on_the_chain(population, seat, name, rounds)


# --- where rounds are independent ----------------------------------------------------------------


def _in_each_round(population: FrozenPopulation, seat: int, name: str, rounds: int) -> Best:
    """The best reply of one round, in every round, with the session's draws."""
    market, tables = population.market, list(population.tables)
    allowed = played_actions(market, tables, free_seat=seat)
    roots = state_without_past(market, population.kpi)
    tree = enumerate_round(market, population.kpi, allowed, roots)
    if not tree.exact:
        raise ConfigError(LOTTERY)
    reply = best_reply(tree, tables, seat, tree.rewards[:, seat])
    role = market.seats[seat].role
    first, count = role.legal[:, 0, None], role.legal[:, 1, None]
    columns = np.arange(role.actions)
    legal = (columns >= first) & (columns < first + count)
    actions = np.where(legal, reply.payoff, -np.inf).argmax(axis=1).astype(np.int64)
    tables[seat] = deterministic(role, actions)
    sums = earned_by(replace(population, tables=tuple(tables)), name, rounds)
    column = sums.scores.shape[1] - len(market.seats) + seat
    return Best(float(sums.scores[0, column]), reply.best, SAME_DRAWS, tables[seat])


# --- on the joint chain --------------------------------------------------------------------------


def _on_the_chain(population: FrozenPopulation, seat: int, name: str, rounds: int) -> Best:
    """Backward induction over the rounds of the session, from where it began."""
    market = population.market
    if (reason := why_no_chain(market, population.kpi)) is not None:
        raise ConfigError(reason)
    expected = market.analysis.expected()
    if expected is not market and not is_linear(population.kpi):
        raise ConfigError("the KPI transforms a measure of which only the mean is computed")
    if expected.play_draws:
        raise ConfigError(LOTTERY)
    start = engine_of(population, name).rows.state.copy()
    chain = build_chain(replace(population, market=expected, rows=None), start)
    if chain is None:
        raise ConfigError("the joint chain from where the session began is too large to solve")
    problem = chain.seats[seat]
    total = float(best_over(problem, rounds)[0])
    is_fixed = bool(np.isin(problem.probability, (0.0, 1.0)).all())
    drawn = market.play_draws or not is_fixed
    return Best(total, total / rounds, EXPECTED if drawn else NOTHING_DRAWN)


def best_over(problem: DecisionProblem, rounds: int) -> Floats:
    """The most that a seat can expect in KPI payoff over so many rounds, float64 `[N]`.

    Args:
        problem: its decisions on N nodes, the others' tables frozen.
        rounds: how many, undiscounted.
    """
    value = np.zeros(len(problem.kpi))
    for _ in range(rounds):
        later = np.einsum("nar,nr->na", value[problem.successor], problem.probability)
        value = (problem.kpi + later).max(axis=1)
    return value
