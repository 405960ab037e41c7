"""Which markets let a single seat's act be changed and what follows be read off.

Probes of collusion need one decision a round, rivals of one role who all see the same, a next state
that depends on this state and on actions only, and benchmarks to measure against. The last of these
is declared by a market; the others are tried out, by playing.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market

from .replays import play_once

COPIES = 64
INSTEAD = "collusion_index, KPI regret and `tacit best-response` do"


def benchmark_range(market: Market) -> tuple[float, float]:
    """A seat's mean fundamental in the competitive and in the collusive benchmark (NaN: unknown).

    The unit of gains and losses is their distance, profit_M - profit_N.
    """
    marks = market.benchmarks()
    name = market.roles[0].fundamental
    values = [marks[k].values.get(name) if k in marks else None for k in _ENDS]
    low, high = (float("nan") if v is None else float(v) for v in values)
    return low, high


_ENDS = ("competitive", "collusive")


def no_analysis(market: Market, needs: str) -> str | None:
    """That a market declares no `Analysis`, and what a probe `needs` of it; None: it has one."""
    if market.analysis_class is not None:
        return None
    return f"{market.lacks_analysis()}; this probe needs its {needs}"


def unfit(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why probes of deviations say nothing of this market, and what does; None: they fit."""
    if market not in _UNFIT:
        reason = no_analysis(market, "conduct") or _no_rivalry(market)
        _UNFIT[market] = reason or _uncertain(market, kpi, alike=True)
    return _UNFIT[market]


def no_chain(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why a market has no exact joint chain (`tacit.emergence.play.chain`); None: it has one."""
    if market not in _NO_CHAIN:
        reason = no_analysis(market, "expected")
        _NO_CHAIN[market] = reason or _uncertain(market, kpi, alike=False)
    return _NO_CHAIN[market]


_UNFIT: WeakKeyDictionary[Market, str | None] = WeakKeyDictionary()
_NO_CHAIN: WeakKeyDictionary[Market, str | None] = WeakKeyDictionary()


def _no_rivalry(market: Market) -> str | None:
    if len(market.roles) > 1:
        return f"{market.name} has several roles here; {INSTEAD}"
    role = market.roles[0]
    if role.seats < 2:
        return f"one {role.name} has no rival to respond"
    if role.name not in market.analysis.conduct:
        return f"{market.name} names no act by which its {role.name}s compete; {INSTEAD}"
    low, high = benchmark_range(market)
    if not high - low > 1e-9:
        return f"{market.name} has no competitive and collusive benchmark here to measure against"
    return None


def _uncertain(market: Market, kpi: kpis.KpiTable, alike: bool) -> str | None:
    """Two rounds of 64 copies, each played twice from one state under different luck."""
    if len(market.phases) > 1:
        return f"a round of {market.name} has several phases here; {INSTEAD}"
    market = market.analysis.expected()
    engine = Engine(market, kpi, copies=COPIES, stream=rng.PROBE)
    engine.reset()
    states, sees, luck = engine.rows.state, engine.observations, np.arange(COPIES)
    for t in range(2):
        if alike and np.any(sees != sees[:, :1]):
            return f"seats of {market.name} see different things here; {INSTEAD}"
        first, count = np.stack(
            [seat.role.legal[sees[:, i]] for i, seat in enumerate(market.seats)], axis=1
        ).transpose(2, 0, 1)
        actions = first + (luck[:, None] * np.arange(3, 3 + len(market.seats)) + 7 * t) % count
        after = play_once(market, kpi, states, actions, 0, luck)
        other = play_once(market, kpi, states, actions, 0, luck + COPIES)
        if not np.array_equal(after.state, other.state):
            return f"what follows depends on luck in {market.name} here; {INSTEAD}"
        states, sees = after.state, after.observations
    return None
