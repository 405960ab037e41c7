"""Leadership: whose changes of conduct come first?

    leadership/i        mean over rivals j of corr(dp_i(t), dp_j(t + 1)), dp the change of conduct
    rises_led           of rises that rivals follow in the next round, the share led by one seat

On the limit path (`tacit.emergence.play.limit_path`): a cycle is closed, so its last round precedes
its first. NaN where nothing moves.

Source: leadership by lagged cross-correlation and by who rises first, Byrne, de Roos, AER 109(2),
2019.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.play.applicability import why_no_analysis
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import Market
from tacit.envs.types import Floats

MOVED = 1e-12  # a smaller change of conduct is rounding

FIGURES = {
    "leadership/": "correlation of a seat's change of conduct with its rivals' in the next round",
    "rises_led": "share of followed rises that the same seat leads",
}


def leadership(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market, path = population.market, limit_path(population)
    rivalry = market.analysis.rivalry
    role = next(r for r in market.roles if r.name in rivalry)
    seats = [s for s in market.seats if s.role is role]
    column = market.columns[rivalry[role.name].measure]
    conduct = path.measures[:, [s.index for s in seats], column]
    if path.period:
        # A closed cycle of T rounds has T changes; T pairs of successive changes need one more.
        conduct = conduct[np.arange(path.period + 2) % path.period]
    change = np.diff(conduct, axis=0)
    figures = {f"leadership/{seat.name}": _leads(change, k) for k, seat in enumerate(seats)}
    return figures | {"rises_led": rises_led(change)}


def _leads(change: Floats, seat: int) -> float:
    """Mean correlation of one seat's changes with the others' a round later; `change` `[T, k]`."""
    own, later = change[:-1, seat], np.delete(change[1:], seat, axis=1)
    found = [
        float(np.corrcoef(own, other)[0, 1])
        for other in later.T
        if np.ptp(own) > MOVED and np.ptp(other) > MOVED
    ]
    return float(np.mean(found)) if found else float("nan")


def rises_led(change: Floats) -> float:
    """The largest share of followed rises that one seat leads; NaN if no rise is followed.

    A rise is led by those who rise in a round if somebody who did not rise follows in the next.

    Args:
        change: changes of conduct, float64 `[T, k]`.
    """
    up = change > MOVED
    led = up[:-1] & (up[1:] & ~up[:-1]).any(axis=1, keepdims=True)
    events = led.any(axis=1).sum()
    return float(led.sum(axis=0).max() / events) if events else float("nan")


def why_no_leadership(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why leadership is not measured here, and what is instead; None: it is."""
    if (reason := why_no_analysis(market, "conduct")) is not None:
        return reason
    if not any(r.name in market.analysis.rivalry and r.seats > 1 for r in market.roles):
        return f"{market.name} names no act by which rivals compete; winner_turns follows winners"
    return None
