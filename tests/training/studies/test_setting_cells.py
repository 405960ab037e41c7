"""Cells of the settings in which arms differ: whose KPI a weight belongs to says the market."""

from __future__ import annotations

from types import SimpleNamespace

from tacit.envs.kpi import Term
from tacit.training.studies import compare


def term(weight):
    return Term(measure="profit", weight=weight, transform="value", scope="own", threshold=None)


def test_roles_whose_names_begin_alike_are_told_apart(monkeypatch):
    seats = [("firm_big_0", "firm_big"), ("firm_0", "firm")]
    weights = {"firm_big_0": {"profit": term(2)}, "firm_0": {"profit": term(1)}}
    arm = SimpleNamespace(
        kpi=weights,
        market=SimpleNamespace(
            seats=[SimpleNamespace(name=n, role=SimpleNamespace(name=r)) for n, r in seats]
        ),
    )
    differing = {"a": {"kpi.firm.profit.weight": 1.0, "kpi.firm_big.profit.weight": 2.0}}
    monkeypatch.setattr(compare, "differing_settings", lambda arms: differing)
    cells = compare.setting_cells({"a": arm})["a"]
    assert cells == {"KPI (firm)": "profit 1", "KPI (firm_big)": "profit 2"}
