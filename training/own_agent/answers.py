"""What a bot does after a rival has left the path for one round: the forced deviations of an exam.

The replays are those of the probes (`tacit.emergence.play.deviations`); here only those in which
somebody else than the bot deviates are counted, so that the answer is the bot's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tacit.emergence.collusion.impulse import ANSWER, SHOWN_ROUNDS
from tacit.emergence.collusion.temptation import TEMPTING
from tacit.emergence.evaluate import SeedEstimate, seed_estimate
from tacit.emergence.play.deviations import Deviations, deviations
from tacit.emergence.population import FrozenPopulation
from tacit.emergence.stats import interval, number
from tacit.envs.types import Bools, Floats, Ints

SAME = 1e-9  # conducts that differ by less are the same


@dataclass(frozen=True)
class Answers:
    """A bot's answers to rivals' deviations, each an estimate over seeds; n = 0: it has none.

    Attributes:
        cut: its conduct in the round after a rival's best reply, relative to the path's.
        rise: the same after as many steps the other way.
        matched_cut: share of cuts after which it does what the rival did.
        matched_rise: share of rises after which it does.
        beyond: by how much its answer to a cut is more competitive than a follower's, who does what
            its toughest rival did last; in the round of the answer, as a share of the path's.
        outlasts: the same in the round after.
        deterred: share of tempting deviations that end as a loss by the bot's and others' doing.
        bot: its conduct in rounds 0 .. 10 (1: the deviation), less the path's, as a share of it,
            float64 `[11]`.
        rival: the same of the deviator, float64 `[11]`.
    """

    cut: SeedEstimate
    rise: SeedEstimate
    matched_cut: SeedEstimate
    matched_rise: SeedEstimate
    beyond: SeedEstimate
    outlasts: SeedEstimate
    deterred: SeedEstimate
    bot: Floats
    rival: Floats

    def lines(self) -> list[str]:
        """The figures as lines of evidence."""
        shown = {
            "its conduct after a rival's cut, relative to the path": self.cut,
            "its conduct after a rival's rise, relative to the path": self.rise,
            "cuts that it matches": self.matched_cut,
            "rises that it matches": self.matched_rise,
            "its answer to a cut beyond a follower's": self.beyond,
            "the same a round later": self.outlasts,
            "tempting deviations of rivals that it makes a loss": self.deterred,
        }
        return [
            f"{label} {number(x.mean)} {interval(x)}, n = {x.n}"
            for label, x in shown.items()
            if x.n
        ]


def bot_answers(populations: Sequence[FrozenPopulation], bot: int, way: int) -> Answers:
    """The answers of one seat, over the seeds of a match.

    Args:
        populations: the frozen seeds.
        bot: the seat's index.
        way: -1 where a lower conduct is more competitive (prices), +1 where a higher one is.
    """
    rows = [_of_seed(deviations(population), bot, way) for population in populations]
    names = ("cut", "rise", "matched_cut", "matched_rise", "beyond", "outlasts", "deterred")
    found = {name: seed_estimate(name, [own[name] for own, _ in rows]) for name in names}
    bot_curve, rival_curve = (_mean(np.stack([pair[k] for _, pair in rows])) for k in (0, 1))
    return Answers(**found, bot=bot_curve, rival=rival_curve)


def _of_seed(d: Deviations, bot: int, way: int) -> tuple[dict[str, float], tuple[Floats, Floats]]:
    """One seed's figures, NaN of those that it does not have; and the curves of bot and rival."""
    rows = np.flatnonzero(d.profitable & (d.seat != bot))
    who = d.seat[rows]
    path, after, opposite = (x[rows] for x in (d.path, d.after, d.opposite))
    tempting = d.gain[rows] >= TEMPTING
    deterred = (d.loss > d.gain)[rows] & (d.repented_loss > d.gain)[rows]
    every = np.arange(len(rows))
    has_rise = np.isfinite(opposite).all(axis=(1, 2))
    has_rise &= ~_same(opposite[every, 0, who], path[every, 0, who])
    further = _further(after, path, bot, way)
    own, deviator = _relative(after[:, :, bot], path[:, :, bot]), after[every, :, who]
    figures = {
        "cut": _mean_of(own[:, ANSWER]),
        "rise": _mean_of(_relative(opposite[:, :, bot], path[:, :, bot])[has_rise, ANSWER]),
        "matched_cut": _mean_of(_matches(after, path, bot, who)),
        "matched_rise": _mean_of(_matches(opposite, path, bot, who)[has_rise]),
        "beyond": _mean_of(further[:, ANSWER]),
        "outlasts": _mean_of(further[:, ANSWER + 1]),
        "deterred": _mean_of(deterred[tempting]),
    }
    return figures, (_curve(own), _curve(_relative(deviator, path[every, :, who])))


def _matches(conduct: Floats, path: Floats, bot: int, who: Ints) -> Bools:
    """Whether the bot's conduct in the answering round is the deviator's of the round before, which
    differs from what the bot would have done: bool `[D]`."""
    every = np.arange(len(who))
    done, answer = conduct[every, 0, who], conduct[:, ANSWER, bot]
    return _same(answer, done) & ~_same(answer, path[:, ANSWER, bot])


def _further(conduct: Floats, path: Floats, bot: int, way: int) -> Floats:
    """By how much the bot is more competitive than a follower in its place, as a share of its path:
    float64 `[D, R]`, NaN in the round of the deviation.

    A follower leaves the path only as far as the toughest of the others left it the round before.
    """
    others = np.delete(conduct, bot, axis=2) * way
    toughest = np.full(conduct.shape[:2], np.nan)
    toughest[:, 1:] = others.max(axis=2)[:, :-1]
    own, usual = conduct[:, :, bot] * way, path[:, :, bot] * way
    moved = own - usual - np.maximum(toughest - usual, 0.0)
    shape = path.shape[:2]
    size = np.abs(usual)
    further: Floats = np.divide(moved, size, out=np.full(shape, np.nan), where=size != 0.0)
    return further


def _same(one: Floats, other: Floats) -> Bools:
    near: Bools = np.abs(one - other) <= SAME
    return near


def _relative(conduct: Floats, path: Floats) -> Floats:
    """Conduct as a share of the path's at the same date, less 1; NaN where the path's is 0."""
    share: Floats = np.divide(conduct, path, out=np.full(path.shape, np.nan), where=path != 0.0)
    return share - 1.0


def _mean_of(values: Floats | Bools) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else float("nan")


def _mean(rows: Floats) -> Floats:
    """The mean over seeds `[K, R]` of the entries that are known; NaN where none is."""
    known = np.isfinite(rows)
    total = np.where(known, rows, 0.0).sum(axis=0)
    count = known.sum(axis=0)
    mean: Floats = np.divide(total, count, out=np.full(rows.shape[1], np.nan), where=count > 0)
    return mean


def _curve(relative: Floats) -> Floats:
    """Rounds 0 .. 10 of the mean over deviations; round 0 is on the path. `relative` `[D, R]`."""
    found = np.full(SHOWN_ROUNDS, np.nan)
    if len(relative):
        found[0] = 0.0
        rest = _mean(relative)[: SHOWN_ROUNDS - 1]
        found[1 : 1 + len(rest)] = rest
    return found
