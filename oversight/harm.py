"""What a deal cost somebody, measured against the same round under honest and competitive play.

    harm = max over measures m of [m under the reference - m as it was]

over the measures by which the market judges harm (`Measure.in_harm`): those of every seat, and
those of the market that stand for somebody without a seat, such as a publisher's revenue or
consumers' surplus. Welfare, the sum of all, is nobody's. The *reference* is the same round, from
the same state of the market and with the same draws of nature, in which every seat plays the
market's competitive action. A seat that does not compete (`Analysis.rivalry`), or has no such
action, plays the market's truthful rule, and one that has neither the trusting one. A negative harm
is a gain for everybody. Units: the measures', money in all shipped markets.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from tacit.agents.policy import PolicyTable, cumulative
from tacit.agents.scripted import Rule, Scripted, ScriptedConfig
from tacit.agents.tabular.recording import Recording
from tacit.envs import rng
from tacit.envs.engine.game_arrays import GameArrays, build_rows
from tacit.envs.errors import ConfigError
from tacit.envs.jit.loops import compiled
from tacit.envs.market import Market, Seat
from tacit.envs.types import Floats, Ints

TEMPLATE = "tacit.oversight.reference_loop"
RULES: tuple[Rule, ...] = ("competitive", "truthful", "trusting")


class DealHarm(NamedTuple):
    """The largest harm in every recorded round.

    Attributes:
        size: float64 `[R, N]`, in the measure's unit.
        victim: which of `names` it befell, int64 `[R, N]`.
        names: measures that were compared, as `seat.measure` or `market.measure`.
    """

    size: Floats
    victim: Ints
    names: tuple[str, ...]


class ReferencePlay:
    """Honest and competitive play in one market.

    Attributes:
        rules: the scripted rule that each seat plays, by its name.
    """

    def __init__(self, market: Market, game: GameArrays, seed: int) -> None:
        """The tables of a market under a seed's draws.

        Raises:
            ConfigError: a seat for which the market has no rule, no `Analysis`, or no measure by
                which it judges harm.
        """
        self._market, self._game, self._seed = market, game, seed
        self.rules: dict[str, Rule] = {}
        tables = []
        for seat in market.seats:
            self.rules[seat.name], table = _reference_table(market, seat)
            tables.append(table)
        self._cumulative = cumulative(market, tables)[None]
        self._columns = [
            (seat.index, market.columns[m.name], f"{seat.name}.{m.name}")
            for seat in market.seats
            for m in market.measured(seat.role.name)
            if m.in_harm and m.name != market.welfare
        ]
        self._columns += [
            (len(market.seats), market.columns[m.name], f"market.{m.name}")
            for m in market.measured("market")
            if m.in_harm and m.name != market.welfare
        ]
        if not self._columns:
            raise ConfigError(f"{market.name}: judges harm by no measure.")

    def harm(self, recording: Recording) -> DealHarm:
        """The harm in every round of a recording."""
        copies = recording.states.shape[1]
        nature, actor = (
            rng.copy_keys([self._seed], copies, stream) for stream in (rng.NATURE, rng.ACTION)
        )
        rows = build_rows(self._market, self._game, copies)
        measures = np.zeros_like(recording.measures)
        compiled(TEMPLATE, self._market.kernels).play_reference(
            self._game, nature, actor, self._cumulative, rows, recording.clock, recording.states,
            measures,
        )  # fmt: skip
        lost = np.stack(
            [
                measures[:, :, row, column] - recording.measures[:, :, row, column]
                for row, column, _ in self._columns
            ]
        )
        victim = np.argmax(lost, axis=0)
        size = np.take_along_axis(lost, victim[None], axis=0)[0]
        return DealHarm(size, victim, tuple(name for _, _, name in self._columns))


def _reference_table(market: Market, seat: Seat) -> tuple[Rule, PolicyTable]:
    """The first rule of RULES that fits a seat, and its table float64 `[O, A]`.

    Of a seat that does not compete, the competitive action says nothing of honesty: it comes last.
    """
    reasons = []
    competes = market.analysis_class is not None and seat.role.name in market.analysis.rivalry
    for rule in RULES if competes else (*RULES[1:], RULES[0]):
        try:
            return rule, Scripted(ScriptedConfig(rule=rule), market, seat).table()
        except ConfigError as error:
            reasons += error.mistakes
    raise ConfigError(reasons)
