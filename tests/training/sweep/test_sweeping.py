"""Sweeps are checked whole before anything is written, and go on where they were."""

from __future__ import annotations

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.sweep import sweeping
from tacit.training.sweep.cell import CellOutcome
from tacit.training.sweep.sweep_folder import CellState
from tacit.training.sweep.sweeping import make_plan, sweep_folder, to_train, train_cells

GRID = ["kpi.bidder.price_change=0,-1"]


def mistakes(*words, **options):
    with pytest.raises(ConfigError) as error:
        make_plan(*words, **options)
    return error.value.mistakes


def test_mistakes_of_all_cells_at_once():
    lines = mistakes(
        "volatility_kpi",
        ["market.bidders=2,99", "kpi.bidder.price_chnge=-1", "market.price_mix=0,1.5"],
        arms=["first_0"],
    )
    told = "\n".join(lines)
    assert "price_chnge" in told
    assert "Did you mean 'price_change'?" in told
    assert "market.bidders" in told
    assert "market.price_mix" in told
    assert len(lines) == len(set(lines))


def test_words_with_mistakes_are_all_told():
    lines = mistakes("ad_auction", ["markt.x=1"], ["market.bidders=3:2"], random=-1)
    assert [line.split()[0] for line in lines] == ["--grid", "--range", "--random:"]


def test_an_unknown_experiment_and_an_unknown_arm():
    assert "Did you mean 'volatility_kpi'?" in mistakes("volatility_kp", GRID)[0]
    assert "unknown arm" in mistakes("volatility_kpi", GRID, arms=["frist_0"])[0]


def test_of_many_cells_every_value_is_checked_once(monkeypatch):
    seen = []
    monkeypatch.setattr(sweeping, "load", lambda raw, words, arms: seen.append(words))
    for check in ("check_no_outside_agents", "check_no_live_agents"):
        monkeypatch.setattr(sweeping, check, lambda experiment, **told: None)
    many = ",".join(str(k / 1000) for k in range(500))
    make_plan("ad_auction", [f"kpi.bidder.price_change={many}", "market.bidders=2,3,4"])
    values = {dict(word.split("=") for word in words)["market.bidders"] for words in seen}
    weights = {
        float(dict(word.split("=") for word in words)["kpi.bidder.price_change"]) for words in seen
    }
    assert len(seen) < 20
    assert values == {"2", "3", "4"}
    assert {0.0, 0.499} <= weights


def test_a_value_out_of_range_is_found_among_many():
    many = ",".join(str(k / 100) for k in range(-50, 200))
    lines = mistakes("ad_auction", [f"market.price_mix={many}", "market.bidders=2,3"])
    assert any("market.price_mix" in line and "-0.5" in line for line in lines)
    assert any("market.price_mix" in line and "1.99" in line for line in lines)


def test_ends_of_ranges_are_checked():
    lines = mistakes("ad_auction", [], ["market.price_mix=0:1.5"], random=100)
    assert all(line.startswith("market.price_mix") for line in lines)
    assert any("1.5" in line or "1.49" in line for line in lines)


def test_a_name_is_not_that_of_a_run(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("arms: {}")
    with pytest.raises(ConfigError, match="is a run of its own; choose another --name"):
        sweep_folder(tmp_path, "run")
    with pytest.raises(ConfigError, match="--name"):
        sweep_folder(tmp_path, "../up")


class Engine:
    """Writes what a trained cell leaves behind; some fail."""

    def __init__(self, failing=(), elsewhere=()):
        self.failing, self.elsewhere, self.trained = failing, elsewhere, []

    def train(self, folder, plan, cells, listener):
        for k in cells:
            self.trained.append(k)
            if k in self.failing:
                folder.mark_failed(plan, k, "no\n")
                listener.ended(CellOutcome(k, "no"))
            elif k in self.elsewhere:
                listener.ended(CellOutcome(k, is_elsewhere=True))
            else:
                run = folder.cell(plan, k)
                run.path.mkdir(parents=True, exist_ok=True)
                run.summary.write_text("{}")
                folder.mark_done(plan, k)
                listener.ended(CellOutcome(k))


class Listener:
    def __init__(self):
        self.outcomes = []

    def share(self, k, share): ...

    def note(self, text): ...

    def ended(self, outcome):
        self.outcomes.append(outcome)


@pytest.fixture
def planned(tmp_path):
    plan, raw = make_plan("ad_auction", ["market.bidders=2,3,4"])
    return sweep_folder(tmp_path, "mine"), plan, raw


def test_only_what_is_not_done_is_trained(planned):
    folder, plan, raw = planned
    with sweeping.sweeping(folder, plan, raw) as stored:
        failed, elsewhere = train_cells(folder, stored, Engine([1], [2]), Listener())
    assert (failed, elsewhere) == ({1: "no"}, [2])
    assert list(folder.states(plan)) == [CellState.DONE, CellState.FAILED, CellState.WAITING]
    again = Engine()
    with sweeping.sweeping(folder, plan, raw) as stored:
        assert train_cells(folder, stored, again, Listener()) == ({}, [])
    assert again.trained == [1, 2]
    folder.cell(plan, 0).summary.write_text("{ }")  # altered: it does not count as done
    assert to_train(folder, plan) == [0]


def test_another_sweep_in_the_folder_is_refused(planned):
    folder, plan, raw = planned
    with sweeping.sweeping(folder, plan, raw):
        pass
    other, other_raw = make_plan("ad_auction", ["market.bidders=2,3"], settings=["seeds=3"])
    before = folder.plan_file.read_bytes()
    with (
        pytest.raises(ConfigError, match=r"another sweep \(key=value settings, grid differ\)"),
        sweeping.sweeping(folder, other, other_raw),
    ):
        pass
    assert folder.plan_file.read_bytes() == before


def test_cells_that_refinement_added_stay(planned):
    folder, plan, raw = planned
    with sweeping.sweeping(folder, plan, raw):
        folder.write_plan(plan.with_added([(("market.bidders", 5),)]), raw)
    with sweeping.sweeping(folder, plan, raw) as stored:
        assert stored.count == 4


def test_two_parents_on_one_sweep(planned):
    import threading

    folder, plan, raw = planned
    told = []

    def second():
        try:
            with sweeping.sweeping(folder, plan, raw):
                told.append("entered")
        except ConfigError as error:
            told.append(str(error))

    with sweeping.sweeping(folder, plan, raw):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert "is writing to this run" in told[0]
