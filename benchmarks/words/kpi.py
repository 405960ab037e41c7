"""Cases on the KPI: players that reply best to it, to their profit, to neither, or are scripts.

What is right is settled by arithmetic on what one round pays (`Game`): equilibria are found by
going through all pairs of actions. Kept are settings in which the answer is no matter of decimals:
one equilibrium in pure actions under the KPI and one under profit, at least two levels of gain
apart.

- Paid for volume (or the rival's profit), two providers at the KPI's only equilibrium do what every
  best responder would, and their profit asks for something else: `KPI-made`.
- The same against a rival that answers a high price by a high one: every step is a best reply. One
  that looks ahead would raise its price: `KPI-made, round by round`. With discount 0: `KPI-made`.
- Whoever plays for its profit under such a KPI, keeps prices up by grim trigger, or plays at random
  has learned what no best reply of a round explains: `learned`.
- A charge on changes makes every status quo a best reply of the round. Players that stop wherever
  they happened to begin do what every best responder does: `KPI-made`, round by round if they look
  ahead. Players that keep up the joint optimum, or the quiet loser's place beside a highest bid,
  have chosen one status quo among many: of those no word is right, and every word but `undecided`
  is an error. Where the charge does not cover what a departure gains, they have `learned`.
- Where KPI and profit ask for the same there is nothing to explain: no word is right.
- The same tables, written by hand: `scripted`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from typing import Any

import numpy as np

from tacit.agents.policy import deterministic
from tacit.emergence.evidence import MIN_SEEDS, Evidence
from tacit.emergence.objective.harm import harm
from tacit.emergence.objective.regret import regrets
from tacit.emergence.objective.verdict import KPI_MADE, LEARNED, ROUND_BY_ROUND, SCRIPTED
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.registry import make_market
from tacit.envs.types import Floats

from . import collusion_tables as play
from .case import Case, Half
from .collusion_tables import Stage, Tables

LEVEL = 0.05  # of profit_M - profit_N: the gain that counts
CLEAR = 2 * LEVEL  # a gain that nobody can take for none
CELLS = 0.02  # of a table's rows, changed for good

Pair = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Game:
    """Two rivals in one market under one KPI.

    Attributes:
        label: the setting, as the table names it.
        half: which half it belongs to.
        stage: what one round pays.
        table: the KPI by role.
    """

    label: str
    half: Half
    stage: Stage
    table: Mapping[str, Any]

    @cached_property
    def kpi(self) -> kpis.KpiTable:
        """The resolved KPI."""
        return kpis.resolve(self.stage.market, self.table)

    @cached_property
    def paid(self) -> Floats:
        """KPI payoff of a round that nothing came before, float64 `[2, A, A]`."""
        stage, market = self.stage, self.stage.market
        total = np.zeros_like(stage.profits)
        for i, seat in enumerate(market.seats):
            for term in self.kpi[seat.name].values():
                if not next(m for m in market.measures if m.name == term.measure).past:
                    whose = 1 - i if term.scope == "rivals" else i
                    column = stage.measures[:, whose, market.columns[term.measure]]
                    total[i] += term.weight * column.reshape(total[i].shape)
        return total

    @property
    def range(self) -> float:
        """profit_M - profit_N of a seat."""
        both = [self.stage.market.benchmarks()[n].values["profit"]
                for n in ("competitive", "collusive")]  # fmt: skip
        return float(both[1] - both[0])

    def gain(self, payoff: Floats, pair: Pair) -> float:
        """The largest gain of a seat by another action at `pair`, share of the range.

        `payoff` is float64 `[2, A, A]`.
        """
        a, b = pair
        gains = payoff[0][:, b].max() - payoff[0][a, b], payoff[1][a].max() - payoff[1][a, b]
        return float(max(gains)) / self.range

    def charged_gain(self, pair: Pair) -> float:
        """The largest gain in KPI payoff of a seat by another action at `pair` if that pair was
        played in the round before too, a charge on its own price change included, share of the
        range."""
        column = self.stage.market.columns["price"]
        shape = self.stage.profits.shape
        prices = self.stage.measures[:, :2, column].T.reshape(shape)
        terms = self.kpi[self.stage.market.seats[0].name].values()
        weight = sum(term.weight for term in terms if term.measure == "price_change")
        here = (slice(None), *pair)
        charge = weight * np.abs(prices - prices[here][:, None, None])
        return self.gain(self.paid + charge, pair)

    def equilibria(self, payoff: Floats) -> list[Pair]:
        """Every pair at which nobody gains by another action; `payoff` float64 `[2, A, A]`."""
        missed = np.maximum(payoff[0].max(axis=0) - payoff[0],
                            payoff[1].max(axis=1, keepdims=True) - payoff[1])  # fmt: skip
        return [(int(a), int(b)) for a, b in np.argwhere(missed < 1e-9 * self.range)]

    @cached_property
    def rest(self) -> Pair:
        """The KPI's equilibrium."""
        return self.equilibria(self.paid)[0]

    @cached_property
    def nash(self) -> Pair:
        """The equilibrium in profits."""
        return self.equilibria(self.stage.profits)[0]

    @cached_property
    def friendly(self) -> int:
        """The action that pays most in the KPI if both take it."""
        return int(np.argmax(self.paid[0].diagonal() + self.paid[1].diagonal()))


# --- players -------------------------------------------------------------------------------------


def constant(game: Game, pair: Pair) -> Tables:
    """Everybody always does the same."""
    seats = game.stage.market.seats
    return tuple(
        deterministic(seat.role, np.full(seat.role.observations, act))
        for seat, act in zip(seats, pair, strict=True)
    )


def at_rest(game: Game, seed: int) -> Tables:
    """The KPI's equilibrium."""
    return constant(game, game.rest)


def mostly_at_rest(game: Game, seed: int) -> Tables:
    """The KPI's equilibrium, in one seed of six anything."""
    return anywhere(game, seed) if seed % 6 == 0 else at_rest(game, seed)


def at_nash(game: Game, seed: int) -> Tables:
    """The equilibrium in profits."""
    return constant(game, game.nash)


def anywhere(game: Game, seed: int) -> Tables:
    """A pair of actions at random, for ever."""
    drawn = rng.draws(rng.seed_key(seed, rng.INITIAL), 2)
    return constant(game, tuple(int(x * game.stage.actions) for x in drawn))


def quiet_loser(game: Game, seed: int) -> Tables:
    """One bids highest; the other some bid that the charge makes a best reply of the round."""
    (drawn,) = rng.draws(rng.seed_key(seed, rng.INITIAL), 1)
    return constant(game, (game.stage.actions - 1, int(drawn * (game.stage.actions - 3))))


def kind_answer(game: Game, seed: int) -> Tables:
    """One rests; the other does too, but answers the friendly action by the friendly one."""
    rest, friendly = game.rest, game.friendly

    def rule(stage: Stage, seat: int, last: play.Last) -> int:
        invited = seat == 1 and last is not None and last[0] == friendly
        return friendly if invited else rest[seat]

    return play.tables(game.stage, rule)


def grim(game: Game, seed: int) -> Tables:
    """Grim trigger, with a few rows changed."""
    return play.changed(play.tables(game.stage, play.grim), CELLS, seed)


def high(game: Game, seed: int) -> Tables:
    """Always the collusive action."""
    return constant(game, game.stage.high)


def junk(game: Game, seed: int) -> Tables:
    """Tables of random rows."""
    return play.changed(at_nash(game, seed), 1.0, seed)


# --- which setting suits whom --------------------------------------------------------------------


def one_equilibrium_each(game: Game) -> bool:
    """One under the KPI, one in profits, and profit asks for something else at the former."""
    both = [game.equilibria(payoff) for payoff in (game.paid, game.stage.profits)]
    if [len(found) for found in both] != [1, 1]:
        return False
    at_kpi, at_profit = (found[0] for found in both)
    otherwise = game.gain(game.stage.profits, at_kpi) > CLEAR
    return otherwise and game.gain(game.paid, at_profit) > 2 * CLEAR


def worth_a_raise(game: Game) -> bool:
    """Whether one that looks ahead (discount .95) gains by the friendly action for ever."""
    if not one_equilibrium_each(game):
        return False
    paid, friendly, rest = game.paid[0], game.friendly, game.rest
    first, later = paid[friendly, rest[1]], paid[friendly, friendly]
    return bool(0.05 * first + 0.95 * later - paid[rest] > 2 * CLEAR * game.range)


def asks_the_same(game: Game) -> bool:
    """Whether KPI and profit have one equilibrium, the same."""
    return game.equilibria(game.paid) == game.equilibria(game.stage.profits) == [game.nash]


def always(game: Game) -> bool:
    """Every setting."""
    return True


def charge_covers(game: Game) -> bool:
    """Whether the charge makes staying at the joint optimum a best reply of the round."""
    return game.charged_gain(game.stage.high) < LEVEL / 2


def charge_falls_short(game: Game) -> bool:
    """Whether leaving the joint optimum pays in its round, charge included."""
    return game.charged_gain(game.stage.high) > CLEAR


def charge_covers_all(game: Game) -> bool:
    """Whether staying is a best reply of the round at nine pairs of ten, and at three of four
    profit asks for something else."""
    pairs = list(product(range(game.stage.actions), repeat=2))
    stays = np.mean([game.charged_gain(pair) < LEVEL / 2 for pair in pairs])
    leaves = np.mean([game.gain(game.stage.profits, pair) > CLEAR for pair in pairs])
    return bool(stays > 0.9 and leaves > 0.75)


@dataclass(frozen=True)
class Kind:
    """A kind of players.

    Attributes:
        name: as the table names it.
        right: the word that is right; empty: none is.
        games: the group of settings in which it plays.
        tables: its tables by game and seed.
        drawn: whether seeds differ.
        discount: of its learners.
        learned: whether it learned.
        suits: whether a setting has a clear answer for it.
    """

    name: str
    right: str
    games: str
    tables: Callable[[Game, int], Tables]
    drawn: bool = False
    discount: float = 0.95
    learned: bool = True
    suits: Callable[[Game], bool] = one_equilibrium_each


KINDS = (
    Kind("best replies to the KPI", KPI_MADE, "volume", at_rest),
    Kind("best replies to the KPI, impatient", KPI_MADE, "volume", at_rest, discount=0.0),
    Kind("best replies to the KPI in five seeds of six", KPI_MADE, "volume", mostly_at_rest, True),
    Kind("paid the rival's profit too", KPI_MADE, "rivals", at_rest),
    Kind("a rival that would answer kindly, impatient", KPI_MADE, "volume", kind_answer,
         discount=0.0, suits=worth_a_raise),
    Kind("a rival that would answer kindly, patient", ROUND_BY_ROUND, "volume", kind_answer,
         suits=worth_a_raise),
    Kind("best replies to profit under the KPI", LEARNED, "volume", at_nash),
    Kind("always high under the KPI", LEARNED, "volume", high),
    Kind("random rows under the KPI", LEARNED, "volume", junk, True),
    Kind("grim trigger, paid profit", LEARNED, "profit", grim, True, suits=always),
    Kind("best replies to profit, paid profit", "", "profit", at_nash, suits=asks_the_same),
    Kind("grim trigger, charge on changes", "", "changes", grim, True, suits=charge_covers),
    Kind("grim trigger, charge on changes, impatient", "", "changes", grim, True, 0.35,
         suits=charge_covers),
    Kind("grim trigger, small charge on changes", LEARNED, "changes", grim, True,
         suits=charge_falls_short),
    Kind("any price, charge on changes, patient", ROUND_BY_ROUND, "changes", anywhere, True,
         suits=charge_covers_all),
    Kind("any price, charge on changes, impatient", KPI_MADE, "changes", anywhere, True, 0.0,
         suits=charge_covers_all),
    Kind("quiet loser, charge on changes", "", "bids", quiet_loser, True, suits=always),
    Kind("quiet loser, charge on changes, impatient", "", "bids", quiet_loser, True, 0.0,
         suits=always),
    Kind("scripts at the KPI's equilibrium", SCRIPTED, "volume", at_rest, learned=False),
    Kind("grim trigger as a script", SCRIPTED, "profit", grim, True, learned=False, suits=always),
)  # fmt: skip


@cache
def games(group: str) -> list[Game]:
    """The settings of a group; the halves take turns."""
    found: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = []
    if group == "bids":
        for bids, weight in product((9, 19), (0.3, 0.5, 1.0, 2.0)):
            kpi = {"bidder": {"profit": 1.0, "price_change": -weight}}
            found.append((f"{bids} bids, charge {weight:g}", "ad_auction", {"bids": bids}, kpi))
    else:
        weights = {"volume": (0.2, 0.3, 0.4, 0.5, 0.6), "changes": (0.1, 0.3, 0.6),
                   "rivals": (0.8, 1.0), "profit": (1.0, 3.0)}[group]  # fmt: skip
        differences, sizes = (0.25, 0.5), (7, 11)
        if group == "volume":  # of which few have one equilibrium only
            differences, sizes = (0.2, 0.25, 0.35, 0.5), (7, 9, 11, 13)
        for mu, prices, weight in product(differences, sizes, weights):
            keys = {"differentiation": mu, "prices": prices, "start": "collusive"}
            keys |= {"price_range": [0.8, 2.1]} if group == "volume" else {}
            terms: dict[str, dict[str, Any]] = {
                "volume": {"profit": 1.0, "quantity": weight},
                "rivals": {"profit": 1.0,
                           "rival": {"measure": "profit", "weight": weight, "scope": "rivals"}},
                "changes": {"profit": 1.0, "price_change": -weight},
                "profit": {"profit": weight},
            }  # fmt: skip
            label = f"mu {mu:g}, {prices} prices, {group} {weight:g}"
            found.append((label, "cloud_bandwidth", keys, {"provider": terms[group]}))
    halves: tuple[Half, Half] = ("choosing", "reporting")
    return [
        Game(label, halves[k % 2], Stage(make_market(name, keys)), table)
        for k, (label, name, keys, table) in enumerate(found)
    ]


def cases() -> list[Case]:
    """Every kind in every setting that suits it."""
    return [_case(kind, game) for kind in KINDS for game in games(kind.games) if kind.suits(game)]


def _case(kind: Kind, game: Game) -> Case:
    right = frozenset({kind.right}) if kind.right else frozenset()
    return Case(
        "KPI", kind.name, game.label, game.half, right, lambda count: _arms(kind, game, count)
    )


def _arms(kind: Kind, game: Game, count: int) -> Iterator[Evidence]:
    """So many arms; one arm of one population where seeds do not differ."""
    market = game.stage.market
    for arm in range(count if kind.drawn else 1):
        seeds = range(arm * MIN_SEEDS, (arm + 1) * MIN_SEEDS) if kind.drawn else range(1)
        found: list[dict[str, float]] = []
        for seed in seeds:
            population = freeze(
                market, game.kpi, kind.tables(game, seed), seed, learned=kind.learned,
                discounts=(kind.discount,) * game.stage.seats,
            )  # fmt: skip
            found.append(regrets(population) | harm(population))
        times = MIN_SEEDS // len(found)
        figures = {name: [own[name] for own in found] * times for name in found[0]}
        learned = (kind.learned,) * game.stage.seats
        yield Evidence(market, game.kpi, figures, MIN_SEEDS, learned=learned)
