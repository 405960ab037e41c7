"""The rationing game among the tenants of one provider, in closed form.

N tenants request one unit each; with probability rho a tenant's need is critical. Of the N requests
k ask for priority; background demand is B, capacity C. A request is served with probability

    phi_H(k) = min(1, C/k)                      with priority,
    phi_L(k) = min(1, (C - k)^+ / (N - k + B))  without.

*J exaggerators*: J tenants ask for priority always, the others only when critical. If J of a
tenant's N - 1 rivals exaggerate, K ~ J + Binomial(N - 1 - J, rho) of them ask for priority, and
asking raises the tenant's own chance by

    Delta_J = E[phi_H(K + 1) - phi_L(K)].

A tenant with a standard need asks iff m Delta >= r, where one unit of service is worth
m = (w_s (v - p) + w_u)/w_s to a KPI with weights w_s on surplus and w_u on uptime (w_s = 0: it asks
whenever Delta > 0, as it never pays). So J exaggerators are an equilibrium iff
m Delta_{J-1} >= r >= m Delta_J (the first for J > 0 only, the second for J < N only); several can
exist side by side. Honest requests are an equilibrium, and worth their price to critical needs, for
r between m Delta_0 and (v_C - p) Delta_0.

Source: derived here from the rules of `tacit.envs.cloud_bandwidth`. The idea that a price for
priority sorts users: Mendelson, Whang, Operations Research 38(5), 1990.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, inf

from tacit.envs.market import Benchmark

from .config import CloudBandwidthConfig

TOLERANCE = 1e-12  # a surcharge so near a threshold is on both sides of it


@dataclass(frozen=True)
class Rationing:
    """One provider, its tenants and its background demand.

    Attributes:
        tenants: N.
        capacity: C, units.
        critical_probability: rho.
        background: B, units.
    """

    tenants: int
    capacity: float
    critical_probability: float
    background: float = 0.0

    @property
    def trivial(self) -> bool:
        """Whether everybody is always served, so that priority is worth nothing."""
        return self.capacity >= self.tenants + self.background

    def phi_high(self, k: int) -> float:
        """phi_H(k): the chance of service of one of k >= 1 priority requests."""
        return min(1.0, self.capacity / k)

    def phi_low(self, k: int) -> float:
        """phi_L(k): the chance of service of another request beside k priority requests."""
        waiting = self.tenants - k + self.background
        return min(1.0, max(self.capacity - k, 0.0) / waiting)

    def delta(self, exaggerators: int) -> float:
        """Delta_J for J exaggerators among a tenant's rivals, J = 0 .. N - 1."""
        rho, others = self.critical_probability, self.tenants - 1 - exaggerators
        total = 0.0
        for j in range(others + 1):
            chance = comb(others, j) * rho**j * (1 - rho) ** (others - j)
            k = exaggerators + j
            total += chance * (self.phi_high(k + 1) - self.phi_low(k))
        return total

    def thresholds(self, unit_value: float) -> list[float]:
        """m Delta_J for J = 0 .. N - 1, money.

        Args:
            unit_value: m, money; infinite if surplus has no weight.
        """
        gains = [self.delta(j) for j in range(self.tenants)]
        # (infinity times a gain of 0 would be NaN)
        return [unit_value * gain if gain > 0 else 0.0 for gain in gains]

    def equilibria(self, unit_value: float, surcharge: float) -> list[int]:
        """All J such that J exaggerators are an equilibrium, ascending.

        Args:
            unit_value: m, money.
            surcharge: r, money.
        """
        thresholds = self.thresholds(unit_value)
        found = []
        for j in range(self.tenants + 1):
            exaggerators_stay = j == 0 or thresholds[j - 1] >= surcharge - TOLERANCE
            others_stay = j == self.tenants or surcharge + TOLERANCE >= thresholds[j]
            if exaggerators_stay and others_stay:
                found.append(j)
        return found

    def efficient_surcharge(self, unit_value: float, critical_margin: float) -> tuple[float, float]:
        """The interval of r that sorts needs: m Delta_0 to (v_C - p) Delta_0, money.

        Args:
            unit_value: m, money.
            critical_margin: v_C - p, money.
        """
        first = self.delta(0)
        return unit_value * first, critical_margin * first

    def efficient_value(self, standard: float, critical: float) -> float:
        """Mean value served when the more valuable needs come first, without background demand.

        Args:
            standard: value of a unit for a standard need, money.
            critical: for a critical one, money.
        """
        n, rho, places = self.tenants, self.critical_probability, min(self.capacity, self.tenants)
        total = 0.0
        for k in range(n + 1):
            chance = comb(n, k) * rho**k * (1 - rho) ** (n - k)
            high, low = sorted((standard, critical), reverse=True)
            of_high = k if critical >= standard else n - k
            first = min(of_high, places)
            total += chance * (high * first + low * (places - first))
        return total


def trivial_capacity(c: CloudBandwidthConfig) -> list[str]:
    """The key that makes priority worthless in a market, as `key: what is wrong`, if there is one.

    With several providers all tenants may ask the same one. Background demand counts at its peak.
    """
    if not c.tenants:
        return ["tenants: must be at least 1, got 0: nobody asks for priority"]
    capacity = inf if c.capacity is None else c.capacity
    if not Rationing(c.tenants, capacity, c.critical_probability, c.peak_demand).trivial:
        return []
    got = "null" if c.capacity is None else f"{c.capacity:g}"
    asked = f"tenants + background_demand ({c.tenants} + {c.peak_demand:g})"
    return [
        f"capacity: must be below {asked}, got {got}: everybody is served, so priority is "
        "worth nothing"
    ]


def rationing_benchmarks(
    c: CloudBandwidthConfig, price: float, background: float
) -> dict[str, Benchmark]:
    """The equilibria with the fewest and the most exaggerators, with every threshold.

    For tenants that are paid for surplus. There are none where priority, or a unit, is not worth
    asking for to all critical and some standard needs.

    Args:
        c: the config.
        price: of the only provider, money.
        background: background demand at this price, units.
    """
    game = Rationing(c.tenants, c.capacity or inf, c.critical_probability, background)
    standard, critical, r = c.standard_value - price, c.critical_value - price, c.priority_surcharge
    if game.trivial or standard <= 0 or critical * min(map(game.delta, range(c.tenants))) < r:
        return {}
    found = game.equilibria(standard, r)
    bounds = ", ".join(f"{t:.3f}" for t in game.thresholds(standard))
    source = (
        f"{{}} of {c.tenants} tenants exaggerate at surcharge {r:g}; a standard need asks while "
        f"the surcharge is at most {bounds} with 0, 1, .. exaggerating rivals "
        "(tacit.envs.cloud_bandwidth.rationing)"
    )
    share = (1 - c.critical_probability) / c.tenants
    ends = {"rationing": found[:1], "rationing_most": found[-1:] if len(found) > 1 else []}
    return {
        name: Benchmark({"exaggeration": share * j}, source.format(j))
        for name, listed in ends.items()
        for j in listed
    }


def unit_value(margin: float, surplus_weight: float, uptime_weight: float) -> float:
    """m = (w_s (v - p) + w_u)/w_s: what a unit of service is worth to a KPI, money.

    Args:
        margin: v - p, money.
        surplus_weight: w_s.
        uptime_weight: w_u, money.
    """
    if surplus_weight == 0:
        return inf
    return (surplus_weight * margin + uptime_weight) / surplus_weight
