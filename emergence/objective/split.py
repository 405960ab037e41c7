"""The split of a harm in figures and in words: what best replies to the KPI alone do, what learning
adds.

    harm in revenue .454 [.408, .500], n = 48 = .214 (starts .051 to .350) by best replies to the
    KPI alone + .240 [.194, .286] by learning

The interval of the whole and of the part by learning is over seeds; that of the KPI's part, which
is the same for every seed, is the 10-90 % range over starts of the best-response benchmark: a KPI
may have many equilibria.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tacit.emergence.payoffs import gain_unit
from tacit.emergence.stats import Estimate, interval, number
from tacit.envs.market import Market

FigureEstimate = Callable[[str], Estimate | None]  # a figure over seeds by name; None: not measured


@dataclass(frozen=True)
class HarmSplit:
    """The harm in one measure, in its unit.

    Attributes:
        measure: its name.
        whole: lost against best responders to the fundamentals, over seeds.
        by_kpi: the part that best responders to the KPI lose as well; low and high: over starts.
        by_learning: the rest, over seeds.
        mirror: what best responders to the KPI settle on; low and high: over starts.
    """

    measure: str
    whole: Estimate
    by_kpi: Estimate
    by_learning: Estimate
    mirror: Estimate

    def shown(self, market: Market) -> bool:
        """Whether there is a harm: the interval of the whole lies above what a gain must be to
        count (`tacit.emergence.payoffs.gain_unit`)."""
        unit = gain_unit(market, market.roles[0])
        return self.whole.low > unit.negligible * unit.size

    @property
    def kpi_share(self) -> Estimate:
        """The KPI's share of the harm: its low end is the least over starts of the largest harm
        over seeds, its high end the other way round. For a harm that is shown."""
        ends = self.by_kpi.low / self.whole.high, self.by_kpi.high / self.whole.low
        return Estimate(self.by_kpi.mean / self.whole.mean, *ends, self.whole.n)

    def line(self) -> str:
        """The split as a line of evidence."""
        starts = f"starts {number(self.by_kpi.low)} to {number(self.by_kpi.high)}"
        learning = f"{number(self.by_learning.mean)} {interval(self.by_learning)} by learning"
        mirror = f"[{number(self.mirror.low)}, {number(self.mirror.high)}]"
        return (
            f"harm in {self.measure} {number(self.whole.mean)} {interval(self.whole)}, "
            f"n = {self.whole.n} = {number(self.by_kpi.mean)} ({starts}) by best replies to the "
            f"KPI alone + {learning}; mirror {number(self.mirror.mean)} {mirror}"
        )

    def short(self) -> str:
        """The split in a table: `revenue .454 = .214 + .240`."""
        parts = f"{number(self.by_kpi.mean)} + {number(self.by_learning.mean)}"
        return f"{self.measure} {number(self.whole.mean)} = {parts}"


def harm_splits(measures: Sequence[str], estimate: FigureEstimate) -> list[HarmSplit]:
    """The split in every measure that has one, the largest harm first.

    Args:
        measures: by which the market judges harm.
        estimate: a figure over seeds by name, such as `harm/revenue`.
    """
    found = [split for name in measures if (split := _split(name, estimate)) is not None]
    return sorted(found, key=lambda split: -split.whole.mean)


def _split(name: str, estimate: FigureEstimate) -> HarmSplit | None:
    parts = ("harm", "harm_kpi", "harm_learning", "mirror", "mirror_low", "mirror_high")
    estimates = [estimate(f"{part}/{name}") for part in parts]
    known = [x for x in estimates if x is not None and x.n]
    if len(known) < len(parts):
        return None
    whole, kpi, learning, mirror, low, high = known
    # What is lost is the least where best responders settle on the most.
    least, most = (kpi.mean - (end.mean - mirror.mean) for end in (high, low))
    return HarmSplit(
        measure=name,
        whole=whole,
        by_kpi=Estimate(kpi.mean, least, most, kpi.n),
        by_learning=learning,
        mirror=Estimate(mirror.mean, low.mean, high.mean, mirror.n),
    )
