"""Players of the battery that collude, or look like it: rules as policy tables.

A rule says what a seat does after everybody's last actions, which all seats see:

    rule(stage, seat, last) -> action          last: tuple of actions, None before the first round

Actions are steps of prices or bids. `Stage` knows what one round pays, from the market's own rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tacit.agents.policy import PolicyTable, deterministic
from tacit.emergence.named_measures import named_measures
from tacit.envs import kpi as kpis
from tacit.envs import rng
from tacit.envs.engine.engine import Engine
from tacit.envs.market import Market
from tacit.envs.types import Floats

Last = tuple[int, ...] | None
Tables = tuple[PolicyTable, ...]


@dataclass(frozen=True, eq=False)
class Stage:
    """One round of a market of one phase in which rivals see each other's last actions.

    Attributes:
        market: the market; its expected form is what is played.
    """

    market: Market

    @property
    def seats(self) -> int:
        """How many seats there are."""
        return len(self.market.seats)

    @property
    def actions(self) -> int:
        """How many actions each seat has."""
        return self.market.roles[0].actions

    @cached_property
    def measures(self) -> Floats:
        """Measures of every joint action, the last seat's fastest: float64 `[A^S, S + 1, M]`."""
        market = self.market.analysis.expected()
        joint = np.indices((self.actions,) * self.seats).reshape(self.seats, -1).T
        engine = Engine(market, kpis.resolve(market, None), [0], len(joint))
        engine.reset()
        engine.step(joint)
        return engine.rows.measures.copy()

    @cached_property
    def profits(self) -> Floats:
        """Each seat's fundamental, float64 `[S, A, .., A]`."""
        column = self.market.columns[self.market.roles[0].fundamental]
        earned = self.measures[:, : self.seats, column].T
        return earned.reshape(self.seats, *(self.actions,) * self.seats)

    def index(self, joint: tuple[int, ...]) -> float:
        """The collusion index of a joint action, by the market's own formula."""
        row = np.ravel_multi_index(joint, (self.actions,) * self.seats)
        found = named_measures(self.market.analysis.expected(), self.measures[row])
        return found["collusion_index"]

    def benchmark(self, name: str) -> tuple[int, ...]:
        """Everybody's action in the market's benchmark of this name."""
        found = [self.market.analysis.benchmark_action(name, s, 0) for s in self.market.seats]
        assert None not in found, (self.market.name, name)
        return tuple(int(a) for a in found if a is not None)

    @cached_property
    def low(self) -> tuple[int, ...]:
        """What competes."""
        return self.benchmark("competitive")

    @cached_property
    def high(self) -> tuple[int, ...]:
        """What colludes."""
        return self.benchmark("collusive")

    def best_reply(self, seat: int, joint: tuple[int, ...]) -> int:
        """The action that earns most against the others' actions in `joint`."""
        return int(np.argmax(self._earned(seat, joint)))

    def worst_reply(self, seat: int, joint: tuple[int, ...]) -> int:
        """The action that earns least against the others' actions in `joint`."""
        return int(np.argmin(self._earned(seat, joint)))

    def _earned(self, seat: int, joint: tuple[int, ...]) -> Floats:
        """What each own action earns against the others' actions in `joint`, float64 `[A]`."""
        where: tuple[int | slice, ...] = (*joint[:seat], slice(None), *joint[seat + 1 :])
        earned: Floats = self.profits[seat][where]
        return earned


Rule = Callable[[Stage, int, Last], int]


def tables(stage: Stage, rule: Rule) -> Tables:
    """Everybody's table under a rule."""
    market = stage.market
    found = []
    for seat in market.seats:
        acts = np.zeros(seat.role.observations, np.int64)
        for o in range(seat.role.observations):
            seen = market.analysis.last_actions(seat, o)
            assert seen is not None
            values = [seen[other.name] for other in market.seats]
            last = None if None in values else tuple(int(a) for a in values if a is not None)
            acts[o] = rule(stage, seat.index, last)
        found.append(deterministic(seat.role, acts))
    return tuple(found)


# --- rules ---------------------------------------------------------------------------------------


def competes(stage: Stage, seat: int, last: Last) -> int:
    """The competitive benchmark for ever."""
    return stage.low[seat]


def always_high(stage: Stage, seat: int, last: Last) -> int:
    """The collusive benchmark for ever, whatever the others do."""
    return stage.high[seat]


def grim(stage: Stage, seat: int, last: Last) -> int:
    """Collude while everybody did; else compete."""
    return stage.high[seat] if last in (None, stage.high) else stage.low[seat]


def tit_for_tat(stage: Stage, seat: int, last: Last) -> int:
    """Collude while all others did, whatever the own last action was; else compete."""
    if last is None:
        return stage.high[seat]
    others = [last[j] == stage.high[j] for j in range(stage.seats) if j != seat]
    return stage.high[seat] if all(others) else stage.low[seat]


def win_stay(stage: Stage, seat: int, last: Last) -> int:
    """Collude after a round in which all colluded or all competed; else compete."""
    agreed = last in (None, stage.high, stage.low)
    return stage.high[seat] if agreed else stage.low[seat]


def half_way(stage: Stage) -> tuple[int, ...]:
    """Everybody half way between competition and collusion, rounded towards collusion."""
    return tuple(h + (low - h) // 2 for low, h in zip(stage.low, stage.high, strict=True))


def grim_half_way(stage: Stage, seat: int, last: Last) -> int:
    """Grim trigger at a level half way between competition and collusion."""
    level = half_way(stage)
    return level[seat] if last in (None, level, stage.high) else stage.low[seat]


def own_shame(stage: Stage, seat: int, last: Last) -> int:
    """Collude; who left does what earns it least afterwards, and is hurt by its own table alone."""
    if last is None or last[seat] == stage.high[seat]:
        return stage.high[seat]
    return stage.worst_reply(seat, stage.high)


def punishes_raises(stage: Stage, seat: int, last: Last) -> int:
    """Compete for ever after a move to the other side of collusion; let the others be."""
    if last is None:
        return stage.high[seat]
    both = zip(last, stage.high, stage.low, strict=True)
    beyond = [abs(a - low) > abs(h - low) for a, h, low in both]
    return stage.low[seat] if any(beyond) else stage.high[seat]


def myopic(stage: Stage, seat: int, last: Last) -> int:
    """The best reply to the last round."""
    return stage.best_reply(seat, last or stage.high)


def undercuts(stage: Stage, seat: int, last: Last) -> int:
    """Edgeworth: one step keener than the keenest rival, and back up when it competes."""
    if last is None:
        return stage.high[seat]
    down = 1 if stage.low[seat] > stage.high[seat] else -1
    rivals = [last[j] for j in range(stage.seats) if j != seat]
    keenest = max(rivals, key=lambda a: a * down)
    if (keenest - stage.low[seat]) * down >= 0:
        return stage.high[seat]
    return int(np.clip(keenest + down, 0, stage.actions - 1))


def leads_and_follows(stage: Stage, seat: int, last: Last) -> int:
    """Seat 0 colludes for ever, the others reply best to what they saw."""
    return stage.high[0] if seat == 0 else myopic(stage, seat, last)


def clockwork(stage: Stage, seat: int, last: Last) -> int:
    """Between two prices in turn by the own last action, whatever the others do."""
    level = half_way(stage)[seat]
    return stage.high[seat] if last is None or last[seat] != stage.high[seat] else level


# --- rings of bidders ----------------------------------------------------------------------------


def turns(stage: Stage, winning: int) -> list[tuple[int, ...]]:
    """The joint bids of a ring: seat k's turn, k = 0, 1, ...; the others bid lowest."""
    return [tuple(winning if i == k else 0 for i in range(stage.seats)) for k in range(stage.seats)]


def ring(winning: Callable[[Stage], int], enforced: bool) -> Rule:
    """Bidders win in turn; after anything else an enforced ring competes, others begin again."""

    def rule(stage: Stage, seat: int, last: Last) -> int:
        order = turns(stage, winning(stage))
        if last in order:
            return order[(order.index(last) + 1) % stage.seats][seat]
        return stage.low[seat] if enforced and last is not None else order[0][seat]

    return rule


def one_sided(stage: Stage, seat: int, last: Last) -> int:
    """Seat 0 bids highest for ever, the others lowest."""
    return stage.actions - 1 if seat == 0 else 0


def second_lowest(stage: Stage) -> int:
    """One step above the lowest bid."""
    return 1


def highest(stage: Stage) -> int:
    """The highest bid."""
    return stage.actions - 1


# --- cartels of some -----------------------------------------------------------------------------


def partial(stage: Stage, members: int) -> tuple[int, ...]:
    """The joint prices of a cartel of the first seats whose rivals reply best to it."""
    joint = list(stage.low)
    best, most = tuple(joint), -np.inf
    for level in range(stage.low[0], stage.actions):
        joint[:members] = [level] * members
        for _ in range(stage.actions):
            for i in range(members, stage.seats):
                joint[i] = stage.best_reply(i, tuple(joint))
        earned = sum(float(stage.profits[i][tuple(joint)]) for i in range(members))
        if earned > most + 1e-12:
            best, most = tuple(joint), earned
    return best


def cartel_of(members: int) -> Rule:
    """The first seats play grim trigger among themselves, the others reply best to the cartel."""
    known: dict[int, tuple[int, ...]] = {}

    def rule(stage: Stage, seat: int, last: Last) -> int:
        joint = known.setdefault(id(stage), partial(stage, members))
        if last is None or last[:members] == joint[:members] or last == stage.high:
            return joint[seat]
        return stage.low[seat]

    return rule


# --- tables of chance ----------------------------------------------------------------------------


def changed(clean: Tables, level: float, seed: int, salt: int = 1) -> Tables:
    """Every row of every table is, with this probability, another action for good."""
    found = []
    for i, table in enumerate(clean):
        key = rng.child_key(rng.child_key(rng.seed_key(seed, rng.INITIAL), salt), i)
        draws = rng.draws(key, len(table))
        rows = np.flatnonzero(draws < level)
        spoilt = table.copy()
        spoilt[rows] = 0.0
        acts = (draws[rows] / max(level, 1e-9) * table.shape[1]).astype(int)
        spoilt[rows, acts] = 1.0
        found.append(spoilt)
    return tuple(found)


def trembling(clean: Tables, level: float) -> Tables:
    """Every act is, with this probability, a random one."""
    return tuple((1 - level) * table + level / table.shape[1] for table in clean)


def junk(stage: Stage, joint: tuple[int, ...], seed: int) -> Tables:
    """A joint action that is followed by itself; all other rows are random."""
    stay = tables(stage, lambda stage, seat, last: joint[seat])
    spoilt = changed(stay, 1.0, seed, salt=2)
    found = []
    for seat, table, kept in zip(stage.market.seats, spoilt, stay, strict=True):
        for o in range(len(table)):
            seen = stage.market.analysis.last_actions(seat, o)
            assert seen is not None
            values = tuple(seen[other.name] for other in stage.market.seats)
            if values == joint or None in values:
                table[o] = kept[o]
        found.append(table)
    return tuple(found)


# --- arithmetic ----------------------------------------------------------------------------------


def cycle_of(stage: Stage, rule: Rule) -> list[tuple[int, ...]]:
    """The joint actions that a rule repeats in the long run, in order, from its first round on."""
    path: list[tuple[int, ...]] = []
    joint = tuple(rule(stage, i, None) for i in range(stage.seats))
    while joint not in path:
        path.append(joint)
        joint = tuple(rule(stage, i, path[-1]) for i in range(stage.seats))
    return path[path.index(joint) :]


def is_upheld(stage: Stage, rule: Rule, discount: float = 0.95, rounds: int = 400) -> bool:
    """Whether departures from the rule's path tempt, and all that do cost more than they gain.

    Played here with the rule itself and the profits of a round, by no probe: on the path, after the
    best reply with everybody following the rule, and with the deviator back on its path.
    """

    def play(last: Last) -> tuple[int, ...]:
        return tuple(rule(stage, i, last) for i in range(stage.seats))

    cycle = cycle_of(stage, rule)
    column = [float(stage.profits[i][joint]) for joint in cycle for i in range(stage.seats)]
    earned = np.array(column).reshape(len(cycle), stage.seats)
    unit, tempting = _range(stage.market), 0
    weights = discount ** np.arange(1, rounds + 1)
    for k, joint in enumerate(cycle):
        for i in range(stage.seats):
            best = stage.best_reply(i, joint)
            left = (*joint[:i], best, *joint[i + 1 :])
            gain = float(stage.profits[i][left]) - earned[k, i]
            if gain < 0.05 * unit:
                continue
            tempting += 1
            for repents in (False, True):
                last, lost = left, np.zeros(rounds)
                for t in range(rounds):
                    on_path = cycle[(k + 1 + t) % len(cycle)]
                    now = play(last)
                    last = (*now[:i], on_path[i], *now[i + 1 :]) if repents else now
                    lost[t] = float(stage.profits[i][on_path]) - float(stage.profits[i][last])
                if not float(weights @ lost) > gain:
                    return False
    return tempting > 0


def _range(market: Market) -> float:
    """profit_M - profit_N of a seat."""
    benchmarks, fundamental = market.benchmarks(), market.roles[0].fundamental
    values = [benchmarks[name].values[fundamental] for name in ("collusive", "competitive")]
    return float(values[0]) - float(values[1])


def path_index(stage: Stage, rule: Rule) -> float:
    """The mean index along the rule's cycle."""
    return float(np.mean([stage.index(joint) for joint in cycle_of(stage, rule)]))


def is_tempting(stage: Stage, joint: tuple[int, ...]) -> bool:
    """Whether some seat gains .05 of the range at once by leaving a joint action."""
    unit = _range(stage.market)
    for i in range(stage.seats):
        best = (*joint[:i], stage.best_reply(i, joint), *joint[i + 1 :])
        if stage.profits[i][best] - stage.profits[i][joint] >= 0.05 * unit:
            return True
    return False
