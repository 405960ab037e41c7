"""What a part, a measure or a role is called changes nothing: a market declares what it is."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest
from support.populations import default_kpi

from tacit.agents.scripted import Scripted, ScriptedConfig
from tacit.emergence.collusion.verdict import sells
from tacit.emergence.evidence import Evidence
from tacit.emergence.population import freeze
from tacit.emergence.registry import run_probes
from tacit.emergence.stats import estimate, student
from tacit.envs.analysis import Analysis, Rivalry
from tacit.envs.quantity_competition import QuantityCompetition
from tacit.envs.registry import make_market
from tacit.oversight.observed_data import age_in_rounds, source_of
from tacit.training.show.policy_text import policy_sentences

OUTPUTS = {"outputs": 5}


def renamed(part):
    """Quantity competition whose action part has another name."""

    class Analyses(QuantityCompetition.analysis_class):
        rivalry: ClassVar = {"firm": Rivalry("quantity", part, competition=1, sellers=True)}

    class Renamed(QuantityCompetition):
        analysis_class = Analyses

        def declare(self):
            super().declare()
            (role,) = self.roles
            (block,) = role.blocks
            does = (replace(block.does[0], name=part),)
            self.roles = (replace(role, blocks=(replace(block, does=does),)),)

    return Renamed(OUTPUTS)


def grim(market):
    tables = [
        Scripted(ScriptedConfig(rule="grim_trigger"), market, seat).table() for seat in market.seats
    ]
    return freeze(market, None, tables, seed=0)


def test_the_name_of_a_part_changes_no_figure_no_word_and_no_sentence():
    plain, other = grim(make_market("quantity_competition", OUTPUTS)), grim(renamed("tons"))
    quick = ("temptation", "impulse_response", "sharing", "index")
    known = [name for name in run_probes(plain) if name not in quick]
    figures = [repr(run_probes(population, known)) for population in (plain, other)]
    assert figures[0] == figures[1]
    assert "rival_response" in figures[0]
    for seat, same in zip(plain.market.seats, other.market.seats, strict=True):
        told = policy_sentences(plain, seat)
        assert told == policy_sentences(other, same)
        assert any("quantity" in line for line in told)


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        ({"rivalry": {"firm": Rivalry("price", "bid", -1, sellers=True)}}, True),
        ({"rivalry": {"firm": Rivalry("bid", "price", 1, sellers=False)}}, False),
        ({"conduct": {"firm": "quantity"}}, False),  # the short form says what it is by a flag
        ({"conduct": {"firm": "bid"}, "output_competition": True}, True),
        ({"conduct": {"firm": "x"}, "price_competition": True}, True),
    ],
)
def test_sellers_and_buyers_are_declared(declared, expected):
    market = make_market("quantity_competition", OUTPUTS)
    vars(market)["analysis"] = type("Declared", (Analysis,), declared)(market)
    assert sells(Evidence(market, default_kpi(market), {}, 48)) is expected


def test_a_grid_of_one_s_own_is_read_out():
    """The part is a step then, and not in the measure's unit."""
    config = {"prices": 4, "cost": [1.0, 0.75], "price_range": None}
    market = make_market("cloud_bandwidth", {k: v for k, v in config.items() if v is not None})
    assert market.analysis.rivalry["provider"].part == "price_step"
    population = grim(market)
    for seat in market.seats:
        assert any(
            line.startswith("After provider_") for line in policy_sentences(population, seat)
        )


def test_a_measure_that_is_called_like_a_share_is_one_only_if_it_is_0_or_1():
    values = [3.0, 7.0, 4.0]
    for name in ("cycle_time", "both/sides", "converged"):
        assert estimate(name, values) == student(values)
    assert estimate("converged", [0.0, 1.0, 1.0]) != student([0.0, 1.0, 1.0])


def test_whose_data_a_part_shows_may_be_declared():
    """Then neither its name nor the words of its meaning count."""
    market = renamed("tons")
    (role,), seat = market.roles, market.seats[0]
    part = role.blocks[0].sees[1]
    assert "firm_1" in part.meaning
    words = source_of(market, seat, part)
    assert (words.whose, age_in_rounds(words.age)) == ("rival's", 1)
    cases = [("firm_0", 2, "own"), ("firm_1", 0, "rival's"), ("nature", 3, "nature's")]
    for of, age, whose in [*cases, ("buyer", 1, "another role's"), ("firm", 1, "rival's")]:
        declared = replace(part, meaning="firm_1's secret, last round", of=of, age=age)
        found = source_of(market, seat, declared)
        assert (found.whose, age_in_rounds(found.age)) == (whose, age)
        assert found.because == "the market declares it"
