"""How an arm is made: layers of settings, KPIs, agents, arms."""

from __future__ import annotations

import json

import pytest
from support.training_fixtures import arm, mistakes, weights, write

from tacit.training.config.load import load

# --- layers --------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", range(5))
def test_every_layer_goes_over_the_one_before(layers, tmp_path, monkeypatch):
    """Model default < the market's YAML < experiment < arm < command line."""
    monkeypatch.chdir(tmp_path)
    market = "market: {name: ad_auction, bidders: 3}\ntrain: {copies: 3}\nseeds: 3\n"
    market += "agents: {bidder: {name: q_learning, discount: 0.3}}\n"
    write(
        tmp_path / "configs/markets/ad_auction.yaml", market if layers > 0 else "market: ad_auction"
    )
    text = "market: {name: ad_auction, bidders: 4}\ntrain: {copies: 4}\nseeds: 4\n"
    text += "agents: {bidder: {discount: 0.4}}\n"
    text = text if layers > 1 else "market: ad_auction\n"
    keys = ("market.bidders: 5", "train.copies: 5", "agents.bidder.discount: 0.5", "seeds: 5")
    text += f"arms: {{one: {{{', '.join(keys)}}}}}\n" if layers > 2 else ""
    path = write(tmp_path / "mine.yaml", text)
    over = ["market.bidders=6", "train.copies=6", "agents.bidder.discount=.6", "seeds=6"]
    made = arm(*over if layers > 3 else (), config=path)
    wanted = {0: (2, 1, 0.95, 16), 1: (3, 3, 0.3, 3), 2: (4, 4, 0.4, 4), 3: (5, 5, 0.5, 5)}
    found = (
        made.market.config.bidders,
        made.train.copies,
        made.agents["bidder_0"].discount,
        made.seeds,
    )
    assert found == wanted.get(layers, (6, 6, 0.6, 6))


def test_the_keys_of_an_experiment_go_over_its_preset(tmp_path, monkeypatch):
    """Those that it does not name are the preset's, also within a table."""
    monkeypatch.chdir(tmp_path)
    preset = "market: {name: ad_auction, bidders: 3, bids: 5, value: {kind: uniform, levels: 3}}"
    write(tmp_path / "configs/markets/small.yaml", preset)
    text = "market: {name: small, bids: 7, value: {levels: 4}}"
    made = arm(config=write(tmp_path / "mine.yaml", text)).market
    assert (made.name, made.config.bidders, made.config.bids) == ("ad_auction", 3, 7)
    assert (made.config.value.kind, made.config.value.levels) == ("uniform", 4)


def test_a_setting_within_a_table_leaves_its_neighbours(tmp_path):
    path = write(tmp_path / "x.yaml", "market: {name: ad_auction, value: {value: 3}, bids: 5}")
    made = arm("market.price_mix=1", config=path)
    assert (made.market.config.value.value, made.market.config.bids) == (3.0, 5)


def test_a_config_is_an_experiment_a_market_a_file_or_a_table(tmp_path):
    path = write(tmp_path / "mine.yaml", "market: ad_auction")
    table = {"market": {"name": "ad_auction"}}
    experiments = [load(c) for c in ("volatility_kpi", "ad_auction", path, table)]
    assert [e.name for e in experiments] == ["volatility_kpi", "ad_auction", "mine", "ad_auction"]
    assert [len(e.arms) for e in experiments] == [15, 1, 1, 1]


def test_the_same_settings_make_the_same_arm():
    assert arm("seed=4").same(json.loads(json.dumps(arm("seed=4").plain)))
    assert not arm("seed=4").same(arm("seed=5").plain)


# --- KPIs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ([], {"profit": 1}),
        (["kpi.bidder.price_change=-1"], {"profit": 1, "price_change": -1}),
        (["kpi.bidder.win={weight: 2, scope: rivals}"], {"profit": 1, "win": 2}),
        (["kpi.bidder.profit=3"], {"profit": 3}),
        (["kpi.bidder={win: 1}"], {"win": 1}),
        (["kpi={bidder: {win: 1}}"], {"win": 1}),
        (["kpi=calm"], {"profit": 1, "price_change": -1}),
        (["kpi=calm", "kpi.bidder.price_change=-2"], {"profit": 1, "price_change": -2}),
        (["kpi.bidder.price_change=-2", "kpi=calm"], {"profit": 1, "price_change": -1}),
    ],
)
def test_a_kpi_is_refined_or_replaced(settings, wanted):
    assert weights(arm(*settings)) == wanted
    assert weights(arm(*settings), "bidder_1") == wanted


def test_the_field_of_a_term_is_set_and_the_others_stay():
    made = arm("kpi=calm", "kpi.bidder.price_change.transform=square", "kpi.bidder.price_change=-3")
    term = made.kpi["bidder_0"]["price_change"]
    assert (term.weight, term.transform) == (-3.0, "square")


def test_a_term_may_be_written_field_by_field():
    made = arm("kpi.bidder.partner.measure=profit", "kpi.bidder.partner.weight=.5",
               "kpi.bidder.partner.scope=bidder_0")  # fmt: skip
    assert made.kpi["bidder_1"]["partner"].scope == "bidder_0"


def test_a_seat_starts_from_its_role_s_table():
    made = arm("kpi=calm", "kpi.bidder_1.win=.5")
    assert weights(made) == {"profit": 1, "price_change": -1}
    assert weights(made, "bidder_1") == {"profit": 1, "price_change": -1, "win": 0.5}


def test_a_kpi_may_be_a_file(tmp_path):
    path = write(tmp_path / "mine.yaml", "bidder: {spend: -1}")
    assert weights(arm(f"kpi={path}")) == {"spend": -1}
    assert weights(arm(config={"market": "ad_auction", "kpi": path})) == {"spend": -1}


def test_one_kpi_has_one_hash_however_it_is_written():
    ways = (
        ["kpi=calm"],
        ["kpi.bidder.price_change=-1.0"],
        ["kpi={bidder: {price_change: -1, profit: 1}}"],
    )
    assert len({arm(*way).kpi_hash for way in ways}) == 1
    assert arm("kpi=calm").kpi_hash != arm().kpi_hash


def test_a_publisher_has_its_own_default_kpi():
    assert weights(arm("market.publisher=true"), "publisher_0") == {"revenue": 1}


# --- agents --------------------------------------------------------------------------------------


def test_agents_by_name_preset_and_table():
    assert arm("agents.bidder=q_learning").agents["bidder_0"].initial_q == "rival_uniform"
    assert arm("agents.bidder=banchio").agents["bidder_1"].learning_rate == 0.05
    made = arm("agents.bidder_1={name: scripted, rule: competitive}").agents
    assert (made["bidder_0"].name, made["bidder_1"].rule) == ("q_learning", "competitive")
    both = arm("agents={bidder: banchio, bidder_1: {name: scripted}}").agents
    assert (both["bidder_0"].discount, both["bidder_1"].name) == (0.99, "scripted")


def test_a_key_refines_the_agent_and_keeps_the_rest():
    agent = arm("agents.bidder=banchio", "agents.bidder.epsilon=.5").agents["bidder_0"]
    assert (agent.epsilon, agent.learning_rate) == (0.5, 0.05)
    assert arm("agents.bidder.epsilon=.5").agents["bidder_0"].initial_q == (9.9, 10.1)


def test_a_seat_refines_its_role_s_agent():
    made = arm("agents.bidder=banchio", "agents.bidder_1.epsilon=.5").agents
    assert (made["bidder_0"].epsilon, made["bidder_1"].epsilon) == (0.025, 0.5)
    assert made["bidder_1"].discount == 0.99


def test_in_a_file_a_role_comes_before_its_seats_whatever_the_order():
    agents = {"bidder_1": {"epsilon": 0.5}, "bidder": "banchio"}
    made = arm(config={"market": "ad_auction", "agents": agents}).agents
    assert (made["bidder_1"].epsilon, made["bidder_1"].discount) == (0.5, 0.99)


def test_a_market_s_default_agents_fill_the_roles_that_are_left_out():
    table = {"market": {"name": "ad_auction", "publisher": True}, "agents": {"bidder": "banchio"}}
    agents = arm(config=table).agents
    assert (agents["bidder_0"].discount, agents["publisher_0"].initial_q) == (0.99, (9.9, 10.1))


# --- arms ----------------------------------------------------------------------------------------


def test_arms_made_equal_run_once_and_a_note_says_so():
    settings = ["kpi.bidder.price_change=-3", "market.bidders=3"]
    experiment = load("volatility_kpi", settings)
    assert list(experiment.arms) == ["second_0", "first_0", "seen_0"]
    assert len(experiment.notes) == 3
    assert experiment.notes[0].endswith(
        "second_.25, second_.5, second_1, second_2 equal second_0, which runs once for all"
    )
    assert load("volatility_kpi").notes == []


def test_a_seed_that_may_have_been_meant_for_seeds_is_told():
    note = "seed is where repetitions begin; how many there are says seeds: 48"
    assert load("volatility_kpi", ["seed=2"]).notes == [note]
    assert load("volatility_kpi", ["seed=2", "seeds=2"]).notes == []
    assert load("volatility_kpi", ["seeds=2"]).notes == []


def test_arms_are_chosen_and_renamed():
    chosen = load("volatility_kpi", arms=["first_2", "second_0"])
    assert list(chosen.arms) == ["second_0", "first_2"]
    renamed = load("volatility_kpi", arms=["first_2"], as_arm="mine").arms
    assert list(renamed) == ["mine"]
    assert renamed["mine"].plain == chosen.arms["first_2"].plain
    assert list(load("ad_auction", as_arm="calm").arms) == ["calm"]


def test_several_arms_cannot_have_one_name():
    (line,) = mistakes(config="volatility_kpi", as_arm="mine")
    assert line == "--as: names one arm; choose it with --arm, this config has several."


def test_a_key_within_an_agent_s_table_is_refined():
    """`kwargs` is a table itself: a path leads into it, and leaves the rest as it was."""
    settings = ["agents.bidder={name: sb3, kwargs: {n_epochs: 2, batch_size: 64}}",
                "agents.bidder_1.kwargs.n_epochs=3",
                "agents.bidder_1.kwargs.policy_kwargs.net_arch=[8]"]  # fmt: skip
    agents = load("ad_auction", settings).arms["base"].agents
    assert agents["bidder_0"].kwargs == {"n_epochs": 2, "batch_size": 64}
    assert agents["bidder_1"].kwargs == {
        "n_epochs": 3, "batch_size": 64, "policy_kwargs": {"net_arch": [8]}
    }  # fmt: skip
