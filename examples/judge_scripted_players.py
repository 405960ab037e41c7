"""Probes and verdicts on players whose behaviour is known: grim trigger, and always competing."""

from __future__ import annotations

import tacit
from tacit.agents.scripted import Scripted, ScriptedConfig


def main() -> None:
    """A word needs 48 repetitions; scripted players are the same in each."""
    market = tacit.make_market("cloud_bandwidth", {"start": "collusive"})
    for rule in ("grim_trigger", "competitive"):
        config = ScriptedConfig(rule=rule)
        tables = [Scripted(config, market, seat).table() for seat in market.seats]
        arm = [tacit.freeze(market, None, tables, seed=k) for k in range(48)]
        print(rule)
        for verdict in tacit.verdicts(arm):
            print(f"  {verdict.behaviour}: {verdict.word}")
            for line in verdict.evidence[:3]:
                print(f"    {line}")


if __name__ == "__main__":
    main()
