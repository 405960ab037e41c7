"""A probe of one's own: what is refused before it runs on anything, and what runs where."""

from __future__ import annotations

import pytest
from support.populations import default_kpi, prices, scripted

from tacit.emergence.registry import (
    CONTROLS,
    PROBES,
    Probe,
    inapplicable,
    register_probe,
    run_probes,
    training_curve_figures,
)
from tacit.envs.errors import ConfigError

FIGURES = {"own_figure": "a number"}


def probe(**keys) -> Probe:
    plain = {
        "name": "own",
        "run": lambda population: {"own_figure": 2.0},
        "why_not": lambda market, kpi: None,
        "figures": FIGURES,
    }
    return Probe(**(plain | keys))


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ({"name": "index"}, ["index: a probe of this name exists."]),
        ({"name": "rematched"}, ["rematched: a probe of this name exists."]),
        ({"run": lambda: {}}, ["own.run: must be a function of a population: too many positional"]),
        ({"run": lambda a, b: {}}, ["own.run: must be a function of a population: missing a"]),
        ({"why_not": lambda market: None}, ["own.why_not: must be a function of a market and"]),
        ({"why_not": lambda a, b, c: None}, ["own.why_not: must be a function of a market and"]),
        ({"figures": {}}, ["own.figures: must map the name of a figure to its meaning and unit."]),
        ({"figures": ["x"]}, ["own.figures: must map the name of a figure to its meaning and"]),
        (
            {"figures": {**FIGURES, "tempted_states": "x", "rematched/frozen_index": "x"}},
            [
                "own.figures: 'tempted_states' is a figure of the probe temptation.",
                "own.figures: 'rematched/frozen_index' is a figure of the probe rematched.",
            ],
        ),
        (
            {"name": "index", "run": lambda: {}, "figures": None},
            ["index: a probe", "index.run: must", "index.figures: must map"],
        ),
    ],
)
def test_a_probe_with_mistakes_is_refused_with_all_of_them(registers, keys, lines):
    with pytest.raises(ConfigError) as error:
        register_probe(probe(**keys))
    assert len(error.value.mistakes) == len(lines)
    for found, line in zip(error.value.mistakes, lines, strict=True):
        assert found.startswith(line)
    assert "own" not in PROBES


def test_a_registered_probe_runs_unless_its_figures_are_known_or_it_does_not_apply(registers):
    own = register_probe(probe())
    population = scripted("collusive")
    others = set(PROBES) - {"own"}
    assert PROBES["own"] is own
    assert run_probes(population, others) == {"own": {"own_figure": 2.0}}
    assert run_probes(population, set(PROBES)) == {}
    PROBES["own"] = probe(why_not=lambda market, kpi: "not here")
    assert run_probes(population, others) == {}
    said = inapplicable(prices(), default_kpi(prices()))
    assert said["own"] == "not here"
    assert set(said) < set(PROBES) | set(CONTROLS)


def test_a_builtin_without_a_signature_is_taken_as_it_is(registers):
    assert register_probe(probe(run=dict)).name == "own"


def test_only_quick_probes_are_taken_along_training(registers):
    register_probe(probe(name="slow"))
    population = scripted("collusive")
    assert "own_figure" not in training_curve_figures(population)
    register_probe(probe(name="quick", figures={"q": "x"}, along_training=True))
    assert training_curve_figures(population)["own_figure"] == 2.0
    PROBES["quick"] = probe(why_not=lambda market, kpi: "no", along_training=True)
    assert "own_figure" not in training_curve_figures(population)
