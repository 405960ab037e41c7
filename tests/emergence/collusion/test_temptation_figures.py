"""The figures of temptation, from deviations that are written down."""

from __future__ import annotations

import numpy as np
import pytest
from support import battery
from support.populations import default_kpi, prices, scripted

from tacit.emergence.collusion import temptation as module
from tacit.emergence.collusion.temptation import temptation
from tacit.emergence.play.deviations import deviations
from tacit.emergence.population import freeze

players = battery.load("collusion_tables")


def figures(monkeypatch, **columns):
    """Temptation of two states and two seats, where the other columns are those of grim trigger."""
    population = scripted("grim_trigger")
    known = deviations(population)
    count = len(next(iter(columns.values())))
    plain = {
        "gain": [0.5] * count, "loss": [9.0] * count, "repented_loss": [9.0] * count,
        "state": list(range(count)), "seat": [0] * count, "returns": [False] * count,
        "settled": [True] * count, "reverts": [True] * count,
    } | columns  # fmt: skip
    arrays = {name: np.array(values) for name, values in plain.items()}
    low = arrays.pop("reverts")
    # `rest` is that of grim trigger, which is competition, or that of the path itself
    high = deviations(scripted("collusive")).rest[0]
    rest = np.where(low[:, None, None], known.rest[0], high)
    found = type(known)(**{**known.__dict__, **arrays, "rest": rest})
    monkeypatch.setattr(module, "deviations", lambda _: found)
    return temptation(population)


@pytest.mark.parametrize(
    ("gain", "tempted"),
    [([0.05, 0.0], 0.5), ([0.049, 0.0], 0.0), ([0.05, 0.3], 1.0), ([0.0, 0.0], 0.0)],
)
def test_a_state_tempts_from_a_twentieth_of_the_range_on(monkeypatch, gain, tempted):
    assert figures(monkeypatch, gain=gain)["tempted_states"] == tempted


def test_one_tempted_seat_is_enough(monkeypatch):
    found = figures(monkeypatch, gain=[0.5, 0.0, 0.0, 0.0], state=[0, 0, 1, 1], seat=[0, 1, 0, 1])
    assert found["tempted_states"] == 0.5


@pytest.mark.parametrize(
    ("loss", "repented", "deterred"),
    [(0.6, 0.6, 1.0), (0.4, 0.6, 0.0), (0.6, 0.4, 0.0), (0.5, 0.6, 0.0), (0.6, 0.5, 0.0)],
)
def test_both_losses_must_exceed_the_gain(monkeypatch, loss, repented, deterred):
    found = figures(monkeypatch, gain=[0.5], loss=[loss], repented_loss=[repented])
    assert found["deterred_deviations"] == found["upheld_deviations"] == deterred


def test_only_tempting_deviations_count(monkeypatch):
    found = figures(monkeypatch, gain=[0.5, 0.01], loss=[9.0, 0.0], reverts=[True, False])
    assert found["deterred_deviations"] == found["reverting_deviations"] == 1.0
    assert np.isnan(figures(monkeypatch, gain=[0.01])["deterred_deviations"])


@pytest.mark.parametrize(
    ("returns", "settled", "reverts", "upheld"),
    [
        (True, False, False, 1.0),
        (False, True, True, 1.0),
        (False, True, False, 0.0),  # rests at the level of the path
        (False, False, True, 0.0),  # low on average, and never at rest
        (False, False, False, 0.0),
    ],
)
def test_an_answer_needs_a_form(monkeypatch, returns, settled, reverts, upheld):
    found = figures(monkeypatch, returns=[returns], settled=[settled], reverts=[reverts])
    assert found["upheld_deviations"] == upheld
    assert found["deterred_deviations"] == 1.0


def test_who_is_hurt_by_its_own_table_only_is_not_deterred():
    """The others go on as if nothing had happened: L is large, L_repent is 0."""
    market = prices(differentiation=0.01)
    stage = players.Stage(market)
    tables = players.tables(stage, players.own_shame)
    population = freeze(market, default_kpi(market), tables, 0)
    d = deviations(population)
    assert (d.loss > d.gain).all()
    assert d.repented_loss == pytest.approx([0, 0], abs=1e-9)
    assert temptation(population)["deterred_deviations"] == 0


def test_luck_in_payoffs_does_not_settle_a_wandering_table():
    """Where profits are drawn and prices are not, play still has to come to rest."""
    market = prices(outside_shock=0.1, capacity=0.9)
    assert market.analysis.expected().play_draws
    stage = players.Stage(market)
    found = [
        deviations(freeze(market, default_kpi(market), players.junk(stage, stage.high, seed), seed))
        for seed in range(8)
    ]
    assert not any(d.exact for d in found)
    assert 0 < np.mean([d.settled.mean() for d in found]) < 1
