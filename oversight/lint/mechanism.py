"""Why stable play under a KPI differs, in words that are chosen by measured facts."""

from __future__ import annotations

import numpy as np

from tacit.envs import kpi as kpis
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats
from tacit.oversight.lint.stable.choice import StablePlay, measured
from tacit.oversight.lint.stable.pricing import Pricing
from tacit.oversight.lint.stable.profiles import ROUNDING, ProfileGame

SCOPES_OF_OTHERS = ("rivals", "role", "market")


def mechanism(pricing: Pricing, play: StablePlay) -> str:
    """What makes the difference, a sentence for each fact that holds."""
    facts = []
    if isinstance(play, ProfileGame):
        facts += _who_moves_a_term(play)
    facts += _paid_for_others(pricing)
    facts += _fundamental_left_out(pricing)
    return " ".join(facts) or "other weights than those of the fundamental make other best replies."


def _who_moves_a_term(play: ProfileGame) -> list[str]:
    """Of terms that look back: whose act moves their measure at the worst stable profile, and
    whether that act changes the actor's own fundamental."""
    pricing, found = play.pricing, []
    market, weights = pricing.market, pricing.weights
    past = {m.name for m in market.measures if m.past}
    stable = np.flatnonzero(play.stable(weights))
    if not len(stable):
        return []
    worst = int(stable[measured(market, play.measures()[stable], market.headline).argmin()])
    if not play.gains(pricing.ideal)[worst].max() > 0:
        worst = int(stable[measured(market, play.measures()[stable], market.headline).argmax()])
    for name in dict.fromkeys(
        t.measure for terms in pricing.kpi.values() for t in terms.values()
        if t.weight and t.measure in past
    ):  # fmt: skip
        moves, earns = _sway(play, worst, market.columns[name])
        setters = [s for s, own in enumerate(play.learned) if own and moves[s]]
        if setters:
            found.append(_setter_sentence(play, worst, name, setters, earns))
    return found


def _sway(play: ProfileGame, profile: int, column: int) -> tuple[list[bool], list[bool]]:
    """Of each seat: whether a small step of its own moves a measure, and its own fundamental.

    A small step is one to the next action of the seat's list, up or down. `profile`: its number in
    0 .. J-1.
    """
    market = play.pricing.market
    history = int(play.own_history()[profile])
    every = play.histories.tree.measures
    every = every.reshape(play.histories.count, -1, *every.shape[1:])[history]
    at = list(np.unravel_index(profile, play.sizes))
    moves, earns = [], []
    for s, seat in enumerate(market.seats):
        own = market.columns[seat.role.fundamental]
        near = [k for k in (int(at[s]) - 1, int(at[s]) + 1) if 0 <= k < play.sizes[s]]
        others = [int(np.ravel_multi_index([*at[:s], k, *at[s + 1 :]], play.sizes)) for k in near]
        difference = [every[j] - every[profile] for j in others]
        moves.append(any(abs(x[s, column]) > ROUNDING for x in difference))
        earns.append(any(abs(x[s, own]) > ROUNDING for x in difference))
    return moves, earns


def _setter_sentence(
    play: ProfileGame, profile: int, name: str, setters: list[int], earns: list[bool]
) -> str:
    """Who moves the measure, in words."""
    market = play.pricing.market
    measures = play.measures()[profile]
    who = [_role_in_round(market, market.seats[s], measures) for s in setters]
    names = " and ".join(dict.fromkeys(who))
    idle = [s for s in setters if not earns[s]]
    if idle:
        return (
            f"{names} sets what {name} is measured of and is charged for moving it, while its own "
            f"{market.seats[idle[0]].role.fundamental} stays the same whether it moves it a little "
            "or not: any level that was reached is kept."
        )
    return (
        f"{names} sets what {name} is measured of, and is charged for a step that would pay "
        f"under the fundamental alone: fewer steps away from a level that was reached pay."
    )


def _role_in_round(market: Market, seat: Seat, measures: Floats) -> str:
    """`the loser`, `the winner` or `a <role>`, by the market's own measure of winning."""
    won = market.analysis.wins.get(seat.role.name)
    if won is None:
        return f"a {seat.role.name}"
    value = float(measures[seat.index, market.columns[won]])
    return "the winner" if value > 1 - ROUNDING else "the loser" if value < ROUNDING else "who ties"


def _paid_for_others(pricing: Pricing) -> list[str]:
    """Terms that pay a seat for what another seat measures."""
    market, found = pricing.market, []
    seats = {seat.name for seat in market.seats}
    for group in pricing.groups:
        seat = market.seats[group.seats[0]]
        for term in pricing.kpi[seat.name].values():
            other = term.scope in SCOPES_OF_OTHERS or term.scope in seats
            sign = market.measures[market.columns[term.measure]].sign
            if other and term.scope != seat.name and term.weight * sign > 0:
                whose = {"rivals": "its rivals'", "role": "its role's", "market": "the market's"}
                found.append(
                    f"{group.name} is paid for {whose.get(term.scope, f'''{term.scope}'s''')} "
                    f"{term.measure}: it does not act where that would cost the other."
                )
    return found


def _fundamental_left_out(pricing: Pricing) -> list[str]:
    """Groups whose KPI does not pay their fundamental at all."""
    found = []
    for group in pricing.groups:
        seat = pricing.market.seats[group.seats[0]]
        if not _pays(pricing.kpi[seat.name], seat):
            found.append(
                f"{group.name} is not paid for its {seat.role.fundamental}: what its acts cost "
                "there is not felt."
            )
    return found


def _pays(terms: dict[str, kpis.Term], seat: Seat) -> bool:
    return any(t.weight and t.measure == seat.role.fundamental for t in terms.values())
