"""`tacit best-response` on a small run: a row for each seat and payoff, over its seeds."""

from __future__ import annotations

import pytest
from support.training_fixtures import small

from tacit.emergence.play.best_response import BestResponse
from tacit.envs.errors import ConfigError
from tacit.training.storage import checkpoint
from tacit.training.storage.run_folder import RunFolder
from tacit.training.studies import best_responses as study


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    results = tmp_path_factory.mktemp("results")
    arms = {"arms": {"a": {}, "b": {"kpi": "calm"}}, "market": "ad_auction"}
    small(results, "seeds=2", config=arms)
    return RunFolder(results / "ad_auction")


@pytest.fixture
def known(monkeypatch):
    """Seat 1 earns 1 and 3 in the two seeds and could earn 2 and 5; one of them is not exact."""
    asked = []

    def responses(population, seats):
        asked.append((population.seed, seats))
        k = population.seed
        for seat in seats:
            for payoff in ("kpi", "fundamental"):
                name = population.market.seats[seat].name
                exact = payoff == "kpi" or k == 0
                yield BestResponse(name, payoff, 1.0 + 2 * k, 2.0 + 3 * k, exact)

    monkeypatch.setattr(study.best_response, "best_responses", responses)
    return asked


def test_rows_are_of_arms_seats_and_payoffs_over_seeds(run, known):
    rows, note = study.best_responses(run, None, [])
    keys = [(row.arm, row.seat, row.payoff) for row in rows]
    assert keys == [
        (arm, seat, payoff)
        for arm in ("a", "b")
        for seat in ("bidder_0", "bidder_1")
        for payoff in ("kpi", "fundamental")
    ]
    assert known == [(0, [0, 1]), (1, [0, 1])] * 2
    for row in rows:
        assert (row.own.mean, row.best.mean, row.gain.mean) == (2.0, 3.5, 1.5)
        assert (row.own.n, row.gain.n) == (2, 2)
        assert row.exact == (row.payoff == "kpi")  # in every seed
    assert "is a lower bound: a Q-learner took the seat" in note


def test_a_seat_and_an_arm_are_chosen_and_exact_rows_say_so(run, known):
    rows, _ = study.best_responses(run, "bidder_1", ["b"])
    assert {(row.arm, row.seat) for row in rows} == {("b", "bidder_1")}
    assert known == [(0, [1]), (1, [1])]
    exact = [row for row in rows if row.exact]
    market = study.read_experiment(run).arms["b"].market
    assert study._note(market, exact).endswith(
        "Exact, by value iteration from where play settles; a round later weighs 0.95."
    )


def test_cells_and_json_of_a_row(run, known):
    first, second, *_ = study.best_responses(run, "bidder_0", ["a"])[0]
    cells = first.cells()
    # gains of 1 and 2: 1.5 +- 12.706 x .5
    assert cells["95 %"] == "[-4.853, 7.853]"
    figures = [cells[name] for name in ("as learned", "best response", "gain", "n", "found")]
    assert figures == ["2.000", "3.500", "1.500", "2", "exactly"]
    assert second.cells()["found"] == "learned"
    plain = first.plain()
    assert [*plain] == ["arm", "seat", "payoff", "exact", "own", "best", "gain"]
    assert (plain["payoff"], plain["exact"]) == ("kpi", True)
    assert [plain[name]["mean"] for name in ("own", "best", "gain")] == [2.0, 3.5, 1.5]


def test_all_that_is_missing_is_said_before_anything_is_computed(run, known, monkeypatch):
    plain = checkpoint.read_record
    gone = run.checkpoint("b", 1)
    monkeypatch.setattr(
        study.checkpoint, "read_record", lambda path: None if path == gone else plain(path)
    )
    with pytest.raises(ConfigError) as error:
        study.best_responses(run, "bider_1", [])
    assert error.value.mistakes == [
        "--seat: unknown 'bider_1' in arm a. Did you mean 'bidder_1'?",
        "--seat: unknown 'bider_1' in arm b. Did you mean 'bidder_1'?",
        f"{run.path}: arm b has no finished checkpoint of 1 of its 2 seeds; {run.resume}",
    ]
    assert known == []
    assert study.best_responses(run, None, ["a"])[0]  # which has both
