"""Which markets let one action of a seat be changed and the consequences be computed.

Probes of collusion need one decision a round, rivals of one role with the same observation (those
that decide, where seats move in turn), a next state that depends on the present state and the
actions only, and two benchmarks for the unit. Roles
and benchmarks are declared by the market; the rest is tried out by playing.

Functions named `why_no_...` return None where something can be measured; else one sentence that
names the reason and what can be measured instead. Verdicts show it under `missing`.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from tacit.emergence.payoffs import benchmark_range
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.jit.kept import is_own, keep, read_kept
from tacit.envs.market import Market

from .replays import play_once

TRIAL_COPIES = 64
TRIAL_ROUNDS = 2
TRIALS = "trials"  # the kind of what is kept
INSTEAD = "collusion_index, KPI regret and `tacit best-response` do"


def why_no_analysis(market: Market, needs: str) -> str | None:
    """Why a probe that needs the market's `Analysis` cannot run; `needs`: what it reads there."""
    if market.analysis_class is not None:
        return None
    return f"{market.lacks_analysis()}; this probe needs its {needs}"


def why_no_stage_game(market: Market, needs: str) -> str | None:
    """Why a probe that looks at single rounds cannot run; `needs`: what it reads in `Analysis`."""
    if (reason := why_no_analysis(market, needs)) is not None or market.analysis.stage_game:
        return reason
    return (
        f"what was done in one round of {market.name} binds the next one here: no round is a game "
        "of its own; the best-response gain (tacit best-response) does"
    )


def why_no_deviations(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why the effect of one changed action cannot be computed here."""
    if market not in _WHY_NO_DEVIATIONS:
        reason = why_no_analysis(market, "conduct") or _why_no_rivalry(market)
        reason = reason or _why_unpredictable_kept(market, kpi, same_observation=True)
        _WHY_NO_DEVIATIONS[market] = reason
    return _WHY_NO_DEVIATIONS[market]


def why_no_chain(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why the market has no exact joint chain (`tacit.emergence.play.chain`)."""
    if market not in _WHY_NO_CHAIN:
        reason = why_no_analysis(market, "expected")
        reason = reason or _why_unpredictable_kept(market, kpi, same_observation=False)
        _WHY_NO_CHAIN[market] = reason
    return _WHY_NO_CHAIN[market]


# The answer depends on the market alone: a KPI changes scores, not states.
_WHY_NO_DEVIATIONS: WeakKeyDictionary[Market, str | None] = WeakKeyDictionary()
_WHY_NO_CHAIN: WeakKeyDictionary[Market, str | None] = WeakKeyDictionary()


def _why_no_rivalry(market: Market) -> str | None:
    """What the market declares against it: roles, seats, conduct, benchmarks."""
    if len(market.roles) > 1:
        return f"{market.name} has several roles here; {INSTEAD}"
    role = market.roles[0]
    if role.seats < 2:
        return f"one {role.name} has no rival to respond"
    if role.name not in market.analysis.rivalry:
        return f"{market.name} names no act by which its {role.name}s compete; {INSTEAD}"
    low, high = benchmark_range(market)
    if not high - low > 1e-9:  # also refuses NaN
        return f"{market.name} has no competitive and collusive benchmark here to measure against"
    return None


def _why_unpredictable_kept(
    market: Market, kpi: kpis.KpiTable, same_observation: bool
) -> str | None:
    """`_why_unpredictable`, kept for other processes: whoever asks for nothing but the reason waits
    for no loop to be loaded or compiled. A market of somebody else is played every time."""
    if not is_own(type(market)) or market.view_params is not None:
        return _why_unpredictable(market, kpi, same_observation)
    config = market.config.model_dump(mode="json")
    question = [market.name, config, same_observation]
    kept = read_kept(TRIALS, question)
    if isinstance(kept, list) and len(kept) == 1 and isinstance(kept[0], str | None):
        return kept[0]
    reason = _why_unpredictable(market, kpi, same_observation)
    keep(TRIALS, question, [reason])
    return reason


def _why_unpredictable(market: Market, kpi: kpis.KpiTable, same_observation: bool) -> str | None:
    """What play shows against it: two rounds of 64 copies, each played under two sets of draws.

    Args:
        market: the market; its expected form is played.
        kpi: any resolved KPI table.
        same_observation: whether all seats that have a choice must observe the same.
    """
    if len(market.phases) > 1:
        return f"a round of {market.name} has several phases here; {INSTEAD}"
    market = market.analysis.expected()
    engine = Engine(market, kpi, copies=TRIAL_COPIES, stream=rng.PROBE)
    engine.reset()
    states, observations = engine.rows.state, engine.observations
    draw = np.arange(TRIAL_COPIES)
    for t in range(TRIAL_ROUNDS):
        first, count = np.stack(
            [seat.role.legal[observations[:, i]] for i, seat in enumerate(market.seats)], axis=1
        ).transpose(2, 0, 1)
        chooses = count > 1
        seen = observations[draw, chooses.argmax(axis=1)]  # by the first seat that has a choice
        if same_observation and np.any(chooses & (observations != seen[:, None])):
            return f"seats of {market.name} see different things here; {INSTEAD}"
        # A different joint action in each copy, without drawing: strides 3, 4, ... per seat
        # reach combinations that equal strides would not.
        actions = first + (draw[:, None] * np.arange(3, 3 + len(market.seats)) + 7 * t) % count
        after = play_once(market, kpi, states, actions, 0, draw)
        other = play_once(market, kpi, states, actions, 0, draw + TRIAL_COPIES)
        if not np.array_equal(after.state, other.state):
            return f"what follows depends on luck in {market.name} here; {INSTEAD}"
        states, observations = after.state, after.observations
    return None
