"""Cases on collusion: players of a rule, or tables of chance, in markets of prices and of bids.

What is right is settled by `is_upheld`, `path_index` and `is_tempting` of `collusion_tables`: the
rule itself played with the profits of one round. A rule that makes every tempting departure a loss,
by the others' doing too, at a level above competition, and that ends in its own path, in
competition or in turns, is `tacit collusion`. Of all other players anything may be said but that;
of those without noise, the word that fits their level and temptation. Tables of chance are never
`tacit collusion`, whatever they do to a deviator.

Noise in *cells*: every row of a table is, with the level's probability, another action for good, as
in learned tables, which are never clean off their path. *Trembling*: every act is, with that
probability, a random one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from tacit.emergence.collusion.index import frozen_index
from tacit.emergence.collusion.temptation import temptation
from tacit.emergence.collusion.verdict import (
    COMPETITIVE,
    DISORDER,
    EQUAL,
    NEAR,
    NEARLY,
    SIDES,
    STATIC,
    TACIT,
    TOUGHER,
    UNPUNISHED,
    WORDS,
)
from tacit.emergence.evidence import MIN_SEEDS, UNDECIDED, Evidence
from tacit.emergence.population import freeze
from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market

from . import collusion_tables as play
from .case import Case, Half
from .collusion_tables import Rule, Stage, Tables

NOT_TACIT = frozenset(WORDS) - {TACIT, UNDECIDED}
FIGURES = ("frozen_index", "path_too_long", "tempted_states", "deterred_deviations",
           "upheld_deviations")  # fmt: skip
LEVELS = (0.0, 0.02, 0.05)  # of noise, in turn over the markets


@dataclass(frozen=True)
class Setting:
    """A market of the battery.

    Attributes:
        label: as the table names it.
        market: name of the market.
        config: its keys.
        half: which half it belongs to.
        number: its place in the list, by which noise levels take turns.
    """

    label: str
    market: str
    config: Mapping[str, Any]
    half: Half
    number: int


@dataclass(frozen=True)
class Kind:
    """A kind of players.

    Attributes:
        name: as the table names it.
        rule: what they do; None: tables of chance, made by `make`.
        market: where they play.
        every: they play in one of so many settings.
        noise: 'cells' at the setting's level, 'trembling' at it, or none.
        seats: how many seats a setting must have; 0: any.
        make: tables of chance by stage and seed.
        colludes: whether the rule is meant to uphold a level; arithmetic has the last word.
        config: what settings must have, by key.
    """

    name: str
    rule: Rule | None = None
    market: str = "cloud_bandwidth"
    every: int = 5
    noise: str = ""
    seats: int = 0
    make: Callable[[Stage, int], Tables] | None = None
    colludes: bool = False
    config: Mapping[str, Any] | None = None


def settings() -> list[Setting]:
    """All markets, the halves in turn, so that both have every value of every key."""
    found: list[tuple[str, str, dict[str, Any]]] = []
    extras: dict[str, dict[str, Any]] = {
        "": {},
        ", shock .1": {"outside_shock": 0.1},
        ", shock .3": {"outside_shock": 0.3},
        ", costs 1 and .85": {"cost": [1.0, 0.85]},
        ", qualities 2 and 2.2": {"quality": [2.0, 2.2]},
        ", outside good -.5": {"outside_quality": -0.5},
    }
    for mu, prices, extra in product((0.5, 0.25, 0.1, 0.05, 0.01, 0.0), (6, 9, 15, 30), extras):
        if mu == 0.0 and extra:
            continue  # the best reply to a tie among unequal providers has no pure equilibrium
        keys = {"differentiation": mu, "prices": prices, "start": "collusive", **extras[extra]}
        found.append((f"mu {mu:g}, {prices} prices{extra}", "cloud_bandwidth", keys))
    for providers, prices, mu in ((3, 5, 0.25), (3, 7, 0.1), (3, 7, 0.0), (4, 5, 0.25), (4, 4, 0.1),
                                  (5, 4, 0.25), (5, 4, 0.1), (3, 6, 0.05)):  # fmt: skip
        keys = {"providers": providers, "prices": prices, "differentiation": mu,
                "start": "collusive"}  # fmt: skip
        found.append((f"{providers} firms, mu {mu:g}, {prices} prices", "cloud_bandwidth", keys))
    for prices in (2, 50):
        keys = {"prices": prices, "start": "collusive"}
        keys |= {"price_range": [1.473, 1.925]} if prices == 2 else {}
        found.append((f"mu 0.25, {prices} prices", "cloud_bandwidth", keys))
    keys = {"demand": "unit", "start": "collusive"}
    found += [(f"unit demand, {n} prices", "cloud_bandwidth", {**keys, "prices": n})
              for n in (5, 11, 20)]  # fmt: skip
    for bidders, mix, bids in product((2, 3), (0.0, 0.5, 1.0), (7, 9, 19, 39)):
        if bidders == 3 and bids > 9:
            continue
        keys = {"bidders": bidders, "price_mix": mix, "bids": bids, "observe": "bids"}
        found.append((f"{bidders} bidders, price mix {mix:g}, {bids} bids", "ad_auction", keys))
    halves: tuple[Half, Half] = ("choosing", "reporting")
    return [
        Setting(label, market, config, halves[(k + k // 6) % 2], k)
        for k, (label, market, config) in enumerate(found)
    ]


KINDS = (
    Kind("grim trigger", play.grim, colludes=True, every=3),
    Kind("grim trigger, cells", play.grim, noise="cells", colludes=True),
    Kind("tit for tat", play.tit_for_tat, colludes=True, every=3, seats=2),
    Kind("tit for tat, cells", play.tit_for_tat, noise="cells", colludes=True, seats=2),
    Kind("win-stay, lose-shift", play.win_stay, colludes=True, every=3),
    Kind("win-stay, lose-shift, cells", play.win_stay, noise="cells", colludes=True),
    Kind("grim trigger half way up", play.grim_half_way, colludes=True),
    Kind("cartel of 2 of 3", play.cartel_of(2), colludes=True, every=1, seats=3),
    Kind("cartel of 3 of 4", play.cartel_of(3), colludes=True, every=1, seats=4),
    Kind("cartel of 3 of 5", play.cartel_of(3), colludes=True, every=1, seats=5),
    Kind("competitive", play.competes, every=4),
    Kind("competitive, cells", play.competes, noise="cells", every=6),
    Kind("competitive, trembling", play.competes, noise="trembling", every=12),
    Kind("always high", play.always_high, every=4),
    Kind("always high, cells", play.always_high, noise="cells", every=4),
    Kind("always high, trembling", play.always_high, noise="trembling", every=12),
    Kind("hurt by its own table only", play.own_shame, every=4),
    Kind("hurt by its own table only, cells", play.own_shame, noise="cells", every=8),
    Kind("punishes raises only", play.punishes_raises, every=4),
    Kind("best reply to the last round", play.myopic, every=4),
    Kind("best reply to the last round, cells", play.myopic, noise="cells", every=8),
    Kind("undercutting and back up", play.undercuts, every=4),
    Kind("one leads, the others reply best", play.leads_and_follows, every=4),
    Kind("up and down by the clock", play.clockwork, every=4),
    Kind("junk off the path", every=2, make=lambda s, seed: play.junk(s, s.high, seed)),
    Kind("random rows", every=6,
         make=lambda s, seed: play.changed(play.tables(s, play.competes), 1.0, seed)),
    Kind("random acts", every=12,
         make=lambda s, seed: play.trembling(play.tables(s, play.competes), 1.0)),
    # --- bidders ---
    Kind("ring at the lowest bid, grim", play.grim, "ad_auction", 1, colludes=True),
    Kind("ring at the lowest bid, grim, cells", play.grim, "ad_auction", 2, "cells",
         colludes=True),
    Kind("ring in turns, enforced", play.ring(play.second_lowest, True), "ad_auction", 1,
         colludes=True),
    Kind("ring in turns, enforced, cells", play.ring(play.second_lowest, True), "ad_auction", 2,
         "cells", colludes=True),
    Kind("ring in turns, highest bid wins, enforced", play.ring(play.highest, True), "ad_auction",
         1, colludes=True, config={"price_mix": 0.0}),
    Kind("ring in turns, unenforced", play.ring(play.second_lowest, False), "ad_auction", 1),
    Kind("ring in turns, unenforced, cells", play.ring(play.second_lowest, False), "ad_auction", 2,
         "cells"),
    Kind("one bids highest, the others lowest", play.one_sided, "ad_auction", 1),
    Kind("competitive bidders", play.competes, "ad_auction", 1),
    Kind("competitive bidders, cells", play.competes, "ad_auction", 2, "cells"),
    Kind("always the lowest bid", play.always_high, "ad_auction", 1),
    Kind("always the lowest bid, cells", play.always_high, "ad_auction", 2, "cells"),
    Kind("best reply of bidders", play.myopic, "ad_auction", 1),
    Kind("junk off the ring's path", None, "ad_auction", 1,
         make=lambda s, seed: play.junk(s, s.high, seed)),
    Kind("random rows of bidders", None, "ad_auction", 2,
         make=lambda s, seed: play.changed(play.tables(s, play.competes), 1.0, seed)),
)  # fmt: skip


@cache
def stage_of(number: int) -> Stage:
    """The stage of a setting, by its number."""
    setting = settings()[number]
    return Stage(make_market(setting.market, dict(setting.config)))


def cases() -> list[Case]:
    """Every kind in its share of the settings."""
    found = []
    for k, kind in enumerate(KINDS):
        fitting = [s for s in settings() if _fits(kind, s)]
        found += [_case(kind, setting) for setting in fitting[k % kind.every :: kind.every]]
    return found


def _fits(kind: Kind, setting: Setting) -> bool:
    seats = setting.config.get("providers", setting.config.get("bidders", 2))
    keys = all(setting.config.get(key) == value for key, value in (kind.config or {}).items())
    return kind.market == setting.market and kind.seats in (0, seats) and keys


def _case(kind: Kind, setting: Setting) -> Case:
    level = LEVELS[1 + setting.number % 2] if kind.noise else 0.0
    label = setting.label + (f", {kind.noise} {level:g}" if kind.noise else "")
    right = _right(kind, stage_of(setting.number), bool(kind.noise))
    return Case(
        "collusion", kind.name, label, setting.half, right,
        lambda count: _arms(kind, setting, level, count),
    )  # fmt: skip


def _right(kind: Kind, stage: Stage, noisy: bool) -> frozenset[str]:
    """The words that are right for a kind, by arithmetic."""
    if kind.rule is None:
        return NOT_TACIT
    index = play.path_index(stage, kind.rule)
    if kind.colludes and index > NEAR and play.is_upheld(stage, kind.rule):
        return frozenset({TACIT})
    if noisy:
        return NOT_TACIT
    rivalry = stage.market.analysis.rivalry
    side = SIDES[not any(own.sellers for own in rivalry.values())]
    if index <= NEAR:  # without noise the interval is a point
        word = COMPETITIVE if abs(index) <= EQUAL else TOUGHER if index < -EQUAL else NEARLY
        return frozenset({word})
    tempting = any(play.is_tempting(stage, joint) for joint in play.cycle_of(stage, kind.rule))
    # Whether most of what follows happens to be a loss is not settled here: players who undercut
    # each other go down a staircase that a deviator may only enter elsewhere.
    words = (UNPUNISHED, DISORDER) if tempting else (STATIC,)
    return frozenset(word.format(side=side) for word in words)


def _arms(kind: Kind, setting: Setting, level: float, count: int) -> Iterator[Evidence]:
    """So many arms; where no seed differs from another, one arm of one population."""
    stage = stage_of(setting.number)
    market = stage.market
    kpi = kpis.resolve(market, None)
    clean = play.tables(stage, kind.rule) if kind.rule else None
    same = clean is not None and kind.noise != "cells"
    drawn = same and (kind.noise == "trembling" or market.analysis.expected().play_draws)
    for arm in range(1 if same else count):
        figures: dict[str, list[float]] = {name: [] for name in FIGURES}
        for seed in range(arm * MIN_SEEDS, arm * MIN_SEEDS + (MIN_SEEDS if drawn else 1) if same
                          else (arm + 1) * MIN_SEEDS):  # fmt: skip
            tables = _tables(kind, stage, clean, level, seed)
            population = freeze(market, kpi, tables, seed)
            found = frozen_index(population) | temptation(population)
            for name in FIGURES:
                figures[name].append(found[name])
        times = MIN_SEEDS // len(figures["frozen_index"])
        yield Evidence(market, kpi, {n: x * times for n, x in figures.items()}, MIN_SEEDS)


def _tables(kind: Kind, stage: Stage, clean: Tables | None, level: float, seed: int) -> Tables:
    if clean is None:
        assert kind.make is not None
        return kind.make(stage, seed)
    if kind.noise == "cells":
        return play.changed(clean, level, seed)
    return play.trembling(clean, level) if kind.noise else clean
