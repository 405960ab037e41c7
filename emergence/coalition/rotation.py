"""Taking turns: who wins after whom, and whose price moves come first.

    winner_dependence   I(W_t; W_t+1) / H(W), winners of successive rounds; less the bias
                        (k - 1)^2 / 2T of a sample; 0 independent, 1 fixed by the last winner
    winner_turns        P(W_t+1 != W_t) / (1 - sum_i p_i^2): the chance that another wins next, over
                        what independence makes it; 1 independent, above: turns, below: streaks
    leadership/i        mean over rivals j of corr(dp_i(t), dp_j(t + 1)), dp the change of conduct
    rises_led           of rises that rivals follow in the next round, the share led by one seat

On the limit path (`tacit.emergence.play.limit_path`): a cycle is closed, so its last round
precedes its
first.
Rounds without exactly one winner are left out. NaN where nothing moves. Rotation alone is no sign
of a cartel: capacity and costs make winners alternate as well, and deterministic learners cycle.

Sources: rotation, McAfee, McMillan, AER 82(3), 1992; transition test of winners against
independence, Anderson, Goodman, Annals of Mathematical Statistics 28(1), 1957; leadership by lagged
cross-correlation and by who rises first, Byrne, de Roos, AER 109(2), 2019.
"""

from __future__ import annotations

import numpy as np

from tacit.emergence.play.applicability import no_analysis
from tacit.emergence.play.limit_path import Path, limit
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.tree.tree import Array, Indices
from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Role

FIGURES = {
    "winner_dependence": "how far the last winner fixes the next one, 0 .. 1",
    "winner_turns": "how often another wins next, over what independence makes it",
}
LEADERSHIP = {
    "leadership/": "correlation of a seat's change of conduct with its rivals' in the next round",
    "rises_led": "share of followed rises that the same seat leads",
}


def rotation(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market, path = population.market, limit(population)
    role = _winners(market)
    assert role is not None  # (`no_rotation` has said that there is one)
    seats = [s.index for s in market.seats if s.role is role]
    wins = path.measures[:, seats, market.columns[market.analysis.wins[role.name]]] == 1.0
    winner = np.where(wins.sum(axis=1) == 1, wins.argmax(axis=1), -1)
    before, after = _pairs(winner, path)
    both = (before >= 0) & (after >= 0)
    counts = np.zeros((len(seats), len(seats)))
    np.add.at(counts, (before[both], after[both]), 1.0)
    return dict(zip(FIGURES, transitions(counts, exact=path.period > 0), strict=True))


def transitions(counts: Array, exact: bool) -> tuple[float, float]:
    """(`winner_dependence`, `winner_turns`) of a transition matrix of counts `[k, k]`."""
    total = counts.sum()
    share = counts.sum(axis=1) / max(total, 1.0)
    uneven = 1.0 - float((share**2).sum())
    if total == 0 or uneven < 1e-12:
        return float("nan"), float("nan")
    p = counts / total
    known = _entropy(p.sum(axis=1)) + _entropy(p.sum(axis=0)) - _entropy(p.ravel())
    if not exact:
        known -= (np.count_nonzero(share) - 1) ** 2 / (2.0 * total)
    return max(0.0, known) / _entropy(share), float(1.0 - np.trace(p)) / uneven


def _entropy(p: Array) -> float:
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())


def _pairs(values: Indices, path: Path) -> tuple[Indices, Indices]:
    """Values of successive rounds; a cycle is closed."""
    return (values, np.roll(values, -1, axis=0)) if path.period else (values[:-1], values[1:])


def leadership(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `LEADERSHIP`."""
    market, path = population.market, limit(population)
    role = next(r for r in market.roles if r.name in market.analysis.conduct)
    seats = [s for s in market.seats if s.role is role]
    conduct = path.measures[
        :, [s.index for s in seats], market.columns[market.analysis.conduct[role.name]]
    ]
    if path.period:  # one round more at each end of the cycle than there are changes
        conduct = conduct[np.arange(path.period + 2) % path.period]
    change = np.diff(conduct, axis=0)
    figures = {f"leadership/{seat.name}": _leads(change, k) for k, seat in enumerate(seats)}
    return figures | {"rises_led": rises_led(change)}


def _leads(change: Array, seat: int) -> float:
    own, later = change[:-1, seat], np.delete(change[1:], seat, axis=1)
    found = [
        float(np.corrcoef(own, other)[0, 1])
        for other in later.T
        if np.ptp(own) > 1e-12 and np.ptp(other) > 1e-12
    ]
    return float(np.mean(found)) if found else float("nan")


def rises_led(change: Array) -> float:
    """From changes of conduct float64 `[T, k]`: a rise is led by those who rise first, if one who
    has not risen then follows."""
    up = change > 1e-12
    led = up[:-1] & (up[1:] & ~up[:-1]).any(axis=1, keepdims=True)
    events = led.any(axis=1).sum()
    return float(led.sum(axis=0).max() / events) if events else float("nan")


def _winners(market: Market) -> Role | None:
    """The role whose seats compete for wins, if there is one."""
    return next((r for r in market.roles if r.name in market.analysis.wins and r.seats > 1), None)


def no_rotation(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why winners are not followed here, and what is; None: they are."""
    if (reason := no_analysis(market, "wins")) is not None:
        return reason
    if _winners(market) is None:
        return f"nobody wins a round of {market.name} alone; leadership follows prices"
    return None


def no_leadership(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why leadership is not measured here, and what is; None: it is."""
    if (reason := no_analysis(market, "conduct")) is not None:
        return reason
    if not any(r.name in market.analysis.conduct and r.seats > 1 for r in market.roles):
        return f"{market.name} names no act by which rivals compete; winner_turns follows winners"
    return None
