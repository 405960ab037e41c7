"""A census of learned strategies, where each of two rivals has two actions and remembers one round.

A strategy is a word over last round's own and the rival's action, in the order CC, CD, DC, DD: C is
the action of the market's collusive benchmark, D that of the competitive one, own action first.

| strategy | word | source |
|---|---|---|
| `win_stay_lose_shift` | CDDC | Nowak, Sigmund, Nature 364, 1993 |
| `grim` | CDDD | Friedman, Review of Economic Studies 38(1), 1971 |
| `tit_for_tat` | CDCD | Axelrod, The Evolution of Cooperation, 1984 |
| `always_defect` | DDDD | |
| `always_cooperate` | CCCC | |
| `other` | any other word, or a policy that mixes | |

Source of the census: den Boer, Meylahn, Schinkel, "Artificial collusion", 2022, who count pairs in
which both play the same strategy. In their count all pairs that are not both win-stay, both grim or
both always-defect are other.
"""

from __future__ import annotations

import numpy as np

from tacit.agents.policy import PolicyTable
from tacit.emergence.play.applicability import why_no_deviations
from tacit.emergence.play.limit_path import limit_path
from tacit.emergence.play.replays import observations_in
from tacit.emergence.population import FrozenPopulation
from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Seat
from tacit.envs.types import Ints

STRATEGIES = {
    "win_stay_lose_shift": "CDDC",
    "grim": "CDDD",
    "tit_for_tat": "CDCD",
    "always_defect": "DDDD",
    "always_cooperate": "CCCC",
}
OTHER = "other"
COUNTED = ("win_stay_lose_shift", "grim", "always_defect")  # as pairs, by the source
INSTEAD = "the impulse response shows how learned policies answer"

FIGURES = {
    "strategy/": "share of the two seats that play this strategy",
    "both/": "1 if both seats play this strategy; `both/other`: neither both win-stay, nor both "
    "grim, nor both always-defect",
    "both_cooperate": "share of rounds of the path in which both cooperate",
}


def census(population: FrozenPopulation) -> dict[str, float]:
    """Per seed: see `FIGURES`."""
    market = population.market
    words = [
        word_of(table, *_rows_and_actions(market, seat))
        for seat, table in zip(market.seats, population.tables, strict=True)
    ]
    names = [strategy_of(word) for word in words]
    every = (*STRATEGIES, OTHER)
    both = {name: float(names == [name, name]) for name in STRATEGIES}
    both[OTHER] = 1.0 - sum(both[name] for name in COUNTED)
    return {
        **{f"strategy/{name}": names.count(name) / len(names) for name in every},
        **{f"both/{name}": x for name, x in both.items()},
        "both_cooperate": _both_cooperate(population),
    }


def strategy_of(word: str) -> str:
    """The name of a word over CC, CD, DC, DD."""
    return next((name for name, known in STRATEGIES.items() if known == word), OTHER)


def word_of(table: PolicyTable, rows: Ints, actions: tuple[int, int]) -> str:
    """A policy as a word of C and D; a `?` where it mixes.

    Args:
        table: the policy, float64 `[O, A]`.
        rows: the observations after CC, CD, DC, DD, int64 `[4]`.
        actions: C and D.
    """
    letters = {actions[0]: "C", actions[1]: "D"}
    return "".join(letters[int(row.argmax())] if row.max() == 1.0 else "?" for row in table[rows])


def _both_cooperate(population: FrozenPopulation) -> float:
    """The share of rounds of the limit path in which all seats cooperate, by their tables."""
    market = population.market
    states = limit_path(population).states
    seen = observations_in(market, population.kpi, states)
    joint = np.ones(len(states))
    for i, seat in enumerate(market.seats):
        cooperate = _rows_and_actions(market, seat)[1][0]
        joint *= population.tables[i][seen[:, i], cooperate]
    return float(joint.mean())


def _rows_and_actions(market: Market, seat: Seat) -> tuple[Ints, tuple[int, int]]:
    """A seat's observations after CC, CD, DC, DD, int64 `[4]`, and its actions C and D.

    Raises:
        ValueError: there is not exactly one observation for each.
    """
    analysis = market.analysis
    actions = {
        s.name: tuple(analysis.benchmark_action(b, s, 0) for b in ("collusive", "competitive"))
        for s in market.seats
    }
    (rival,) = (s.name for s in market.seats if s.name != seat.name)
    found: dict[tuple[str, str], list[int]] = {}
    for o in range(seat.role.observations):
        last = analysis.last_actions(seat, o)
        if last is None:
            raise ValueError("the last actions are not seen")
        pair = [("C", "D")[actions[n].index(last[n])] if last[n] is not None else ""
                for n in (seat.name, rival)]  # fmt: skip
        if all(pair):
            found.setdefault((pair[0], pair[1]), []).append(o)
    order = [("C", "C"), ("C", "D"), ("D", "C"), ("D", "D")]
    if any(len(found.get(pair, [])) != 1 for pair in order):
        raise ValueError("an observation shows more than the last actions")
    own = actions[seat.name]
    return np.array([found[pair][0] for pair in order]), (int(own[0] or 0), int(own[1] or 0))


def why_no_census(market: Market, kpi: kpis.KpiTable) -> str | None:
    """Why strategies cannot be counted here; None: they can."""
    if (reason := why_no_deviations(market, kpi)) is not None:
        return reason
    role = market.roles[0]
    if role.seats != 2 or role.actions != 2:
        return (
            f"strategies are counted of two rivals with two actions; {market.name} has "
            f"{role.seats} with {role.actions} here; {INSTEAD}"
        )
    analysis = market.analysis
    for seat in market.seats:
        ends = [analysis.benchmark_action(b, seat, 0) for b in ("collusive", "competitive")]
        if None in ends or ends[0] == ends[1]:
            return f"collusive and competitive action of {market.name} are the same here; {INSTEAD}"
        try:
            _rows_and_actions(market, seat)
        except ValueError as error:
            needs = f"strategies are counted of rivals who see one round ({error} here)"
            return f"{needs}; set {analysis.sees_actions_with}, or: {INSTEAD}"
    return None
