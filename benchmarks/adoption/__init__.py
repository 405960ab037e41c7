"""Scripted adopters whose kind is known, and how often the rule for adoption names it.

    python -m benchmarks.adoption

In every market providers post the prices of the static equilibrium in which each counts others'
profits with known weights (`prices.py`), so what is right is arithmetic on the market's own profit
function. Costs and the outside option are drawn anew for every market, so that no two repetitions
are alike. `expected.yaml` was written before the first run; `table.md` and `table.csv` are what was
found.
"""
