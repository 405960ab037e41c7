"""`tacit.verdicts` on frozen populations: all probes, all controls and all rules at once."""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import replace

import numpy as np
import pytest
from support.populations import default_kpi, prices, probed_once, scripted  # noqa: F401

import tacit
from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.evidence import MIN_SEEDS
from tacit.emergence.population import FrozenPopulation, _is_resolved
from tacit.emergence.registry import CONTROLS, PROBES, run_controls
from tacit.emergence.verdict import evidence_of, verdicts
from tacit.envs import kpi as kpis
from tacit.envs.engine.engine import Engine
from tacit.envs.errors import ConfigError


def arm(rule: str = "grim_trigger", n: int = MIN_SEEDS) -> list:
    return [scripted(rule, seed=k) for k in range(n)]


def words(populations) -> dict[str, str]:
    return {verdict.behaviour: verdict.word for verdict in tacit.verdicts(populations)}


@pytest.mark.slow
@pytest.mark.usefixtures("probed_once")
def test_scripted_players_get_every_word_that_applies():
    """Grim trigger is tacit collusion; whether its KPI made it do so is not asked of a script.
    Nobody claims anything, and two seats have no coalition."""
    assert words(arm()) == {"collusion": "tacit collusion", "KPI": "scripted"}
    assert words(arm("competitive"))["collusion"] == "competitive"
    assert words(arm(n=3))["collusion"] == "undecided at n = 3"


@pytest.mark.usefixtures("probed_once")
def test_the_same_tables_are_judged_where_they_were_learned():
    """No best reply of one round to the KPI, which is profit; a patient agent would keep it up."""
    learned = [replace(own, learned=(True, True)) for own in arm()]
    (verdict,) = [v for v in tacit.verdicts(learned) if v.behaviour == "KPI"]
    assert verdict.word == "learned"
    assert verdict.qualifiers == ("a patient agent paid by this KPI would stay",)
    with pytest.raises(ValueError, match="the same seats must have learned"):
        verdicts([*arm(n=2), learned[0]])


def test_who_learned_is_said_when_policies_are_frozen():
    market, tables = prices(), arm(n=1)[0].tables
    assert tacit.freeze(market, None, tables, 0).learned == (False, False)
    assert tacit.freeze(market, None, tables, 0, learned=True).learned == (True, True)
    some = tacit.freeze(market, None, tables, 0, learned=(True, False), discounts=(0.5, 0.9))
    assert (some.learned, some.discounts) == ((True, False), (0.5, 0.9))
    assert tacit.freeze(market, None, tables, 0).discounts == (0.95, 0.95)
    with pytest.raises(ConfigError, match="learned: 1 entries for 2 seats"):
        tacit.freeze(market, None, tables, 0, learned=(True,))


def test_a_resolved_kpi_is_shared_and_one_that_is_half_resolved_is_not():
    """Populations of an arm share their table, and what is derived from it."""
    market, tables = prices(), arm(n=1)[0].tables
    kpi = default_kpi(market)
    assert tacit.freeze(market, kpi, tables, 0).kpi is kpi
    raw = {"provider_0": {"profit": 1.0}, "provider_1": {"profit": 1.0}}
    assert tacit.freeze(market, raw, tables, 0).kpi == kpi
    term = kpi["provider_0"]["profit"]
    assert _is_resolved(kpi, market)
    for half in (
        None,
        raw,
        {"provider_0": {"profit": term}},
        {"provider_0": {"profit": term}, "provider_1": {"profit": 1.0}},
        {"provider_0": {"profit": term, "price": 1.0}, "provider_1": {"profit": term}},
        {"provider_0": {"profit": term}, "provider_1": ["profit"]},
        {**kpi, "provider_2": {"profit": term}},
    ):
        assert not _is_resolved(half, market)


def test_a_population_of_which_nothing_is_said_is_of_scripts_that_look_as_far_as_probes():
    own = arm(n=1)[0]
    keys = {"market": own.market, "kpi": own.kpi, "tables": own.tables, "seed": 3}
    plain = FrozenPopulation(**keys, discount=0.8)
    assert (plain.learned, plain.discounts) == ((False, False), (0.8, 0.8))
    said = FrozenPopulation(**keys, learned=(True, False), discounts=(0.3, 0.6))
    assert (said.learned, said.discounts, said.discount) == ((True, False), (0.3, 0.6), 0.95)


def test_only_the_first_copy_that_training_left_is_kept():
    own = arm(n=1)[0]
    engine = Engine(own.market, copies=3)
    engine.reset()
    engine.rows.state[:] = np.arange(3.0)[:, None]
    kept = tacit.freeze(own.market, None, own.tables, 0, rows=engine.rows).rows
    engine.rows.state[:] = 9.0
    assert all(len(array) == 1 for array in kept)
    assert not kept.state.any()


def test_as_many_discounts_as_seats():
    with pytest.raises(ConfigError, match="discounts: 3 entries for 2 seats"):
        tacit.freeze(prices(), None, arm(n=1)[0].tables, 0, discounts=(0.9, 0.9, 0.9))


@pytest.mark.slow
def test_the_example_of_the_docstring_runs(capsys):
    before_arguments, _, _ = inspect.getdoc(verdicts).partition("\nArgs:")
    lines = [line for line in before_arguments.splitlines() if line.startswith("    ")]
    code = textwrap.dedent("\n".join(lines))
    names = {"tacit": tacit, "kpis": kpis, "Scripted": Scripted, "ScriptedConfig": ScriptedConfig}
    exec(code, names)
    assert capsys.readouterr().out.splitlines() == ["collusion: tacit collusion", "KPI: scripted"]


def test_every_probe_and_control_that_applies_is_in_the_evidence():
    populations = arm(n=4)
    market, kpi = prices(), default_kpi(prices())
    evidence = evidence_of(populations)
    assert evidence.n == 4
    ran = 0
    for probe in PROBES.values():
        if probe.applies(market, kpi):
            defined = {n: x for n, x in probe.run(populations[1]).items() if np.isfinite(x)}
            assert {n: evidence.figures[n][1] for n in defined} == defined
            ran += bool(defined)
    assert ran == 10  # all that apply but leadership: no price moves here
    for control in CONTROLS.values():
        assert set(control.figures) <= set(evidence.figures)


def test_a_seed_without_a_partner_has_no_figures_of_exchanged_partners():
    evidence = evidence_of(arm(n=3))
    assert np.isnan(evidence.figures["rematched/tempted_states"]).tolist() == [False, False, True]
    (control,) = run_controls(arm(n=3)).values()
    assert [own["rematched/tempted_states"] for own in control[:2]] == [1.0, 1.0]


def test_a_figure_that_no_seed_has_is_left_out():
    evidence = evidence_of(arm("competitive", n=2))
    assert "deterred_deviations" not in evidence.figures  # nobody is tempted
    assert evidence.figures["tempted_states"] == [0.0, 0.0]


def test_only_populations_of_one_arm_are_judged_together():
    with pytest.raises(ValueError, match="at least one population"):
        verdicts([])
    other = scripted("grim_trigger", prices(prices=7))
    with pytest.raises(ValueError, match="same market"):
        verdicts([*arm(n=2), other])
    paid = kpis.resolve(prices(), {"provider": {"price": 1.0}})
    with pytest.raises(ValueError, match="same KPI"):
        verdicts([*arm(n=2), replace(arm(n=1)[0], kpi=paid)])
