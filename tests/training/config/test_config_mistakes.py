"""Mistakes in a configuration: reported at once, each with its key and the nearest right name."""

from __future__ import annotations

import pytest
from support.training_fixtures import arm, mistakes, write

from tacit.envs.errors import ConfigError
from tacit.envs.registry import MARKETS
from tacit.training.config.load import load

KNOWN = ", ".join(sorted(MARKETS))
# setting, and the message behind its key
ONE = [
    ("seds=3", "unknown key. Did you mean 'seeds'?"),
    ("seeds", "must be key=value, as in market.bidders=3."),
    ("market.biders=3", "unknown key. Did you mean 'bidders'?"),
    ("train.round=3", "unknown key. Did you mean 'rounds'?"),
    ("market.name=ad_acution", "unknown market 'ad_acution'. Did you mean 'ad_auction'?"),
    ("market.name=[1]", f"unknown market '[1]'. One of: {KNOWN}."),
    ("market.bidders=1", "must be greater than or equal to 2, got 1."),
    ("market.bidders=true", "must be a number, got True."),
    ("market.price_mix='2'", "must be a number, got '2'."),
    ("market.price_mix=1.5", "must be less than or equal to 1, got 1.5."),
    ("market.bids=0", "must be greater than or equal to 1, got 0."),
    ("market.observe=prices", "must be 'none', 'price' or 'bids', got 'prices'."),
    (
        "market.value.kind=private",
        "must be 'common', 'fixed', 'uniform', 'lognormal' or 'list', got 'private'.",
    ),
    ("market=3", "must be a table of keys, got 3."),
    ("train=3", "must be a table of keys, got 3."),
    ("train.rounds=0", "must be greater than or equal to 1, got 0."),
    ("seeds=0", "must be greater than or equal to 1, got 0."),
    ("seed=-1", "must be greater than or equal to 0, got -1."),
    ("kpi.bidder.profti=1", "unknown measure of ad_auction. Did you mean 'profit'?"),
    ("kpi.bidder.win=.inf", "weight must be a finite number, got inf."),
    ("kpi.bidder.win=.nan", "weight must be a finite number, got nan."),
    ("kpi.biddr={win: 1}", "unknown role or seat. Did you mean 'bidder'?"),
    ("kpi.bidder=calm", "must be a table of terms, got 'calm'."),
    ("kpi=clam", "unknown kpi 'clam'. Did you mean 'calm'?"),
    ("kpi=nowhere.yaml", "there is no file 'nowhere.yaml'."),
    ("kpi={a: 1, a: 2}", "not valid YAML: line 1: the key 'a' stands twice"),
    ("agents=banchio", "must be a table of keys, got 'banchio'."),
    ("agents.biddr=banchio", "unknown role or seat. Did you mean 'bidder'?"),
    ("agents.bidder_2=banchio", "unknown role or seat. Did you mean 'bidder_1'?"),
    ("agents.bidder=banchoi", "unknown agent 'banchoi'. Did you mean 'banchio'?"),
    ("agents.bidder={name: q_lerning}", "unknown agent 'q_lerning'. Did you mean 'q_learning'?"),
    ("agents.bidder=3", "must be a name or a table, got 3."),
    ("agents.bidder.epslon=1", "unknown key. Did you mean 'epsilon'?"),
    ("agents.bidder.epsilon=2", "must be less than or equal to 1, got 2."),
    (
        "agents.bidder.initial_q=abc",
        "must be 'rival_uniform', a finite number or a list of 2, got 'abc'.",
    ),
    ("train.measure_last=600001", "must be at most rounds (600000), got 600001."),
]
# setting, and a line about something else than its key
ELSEWHERE = [
    ("=3", "=3: must be key=value, as in market.bidders=3."),
    ("kpi.bidder_7.win=1", "kpi.bidder_7: unknown role or seat. Did you mean 'bidder_1'?"),
    ("kpi.bidder.win={wieght: 1, weight: 1}",
     "kpi.bidder.win.wieght: unknown key. Did you mean 'weight'?"),
]  # fmt: skip
LINES = [(s, f"{s.partition('=')[0]}: {line}") for s, line in ONE] + ELSEWHERE
GROUPS = ("market", "market.name", "train", "kpi", "kpi.bidder", "agents.bidder")


@pytest.mark.parametrize(("setting", "line"), LINES, ids=[setting for setting, _ in LINES])
def test_one_mistake_has_one_line(setting, line):
    assert mistakes(setting) == [line]


def test_all_are_reported_at_once():
    """One mistake a key, without those that take the place of others."""
    chosen = {setting.partition("=")[0]: (setting, line) for setting, line in LINES}
    chosen = {key: pair for key, pair in chosen.items() if key not in GROUPS}
    del chosen["train.measure_last"]  # (looked at once the numbers themselves are right)
    found = mistakes(*(setting for setting, _ in chosen.values()))
    assert sorted(found) == sorted(line for _, line in chosen.values())


def test_a_mistake_in_the_market_does_not_make_others_of_what_is_right():
    found = mistakes("market.bidders=1", "market.publisher=true", "kpi.publisher.fill=1")
    assert found == ["market.bidders: must be greater than or equal to 2, got 1."]


# --- experiment files ----------------------------------------------------------------------------


def test_an_unknown_config_is_reported_with_the_nearest():
    (line,) = mistakes(config="volatility_kip")
    unknown = "CONFIG: unknown experiment or market 'volatility_kip'."
    assert line == f"{unknown} Did you mean 'volatility_kpi'?"
    (line,) = mistakes(config="nowhere.yaml")
    assert line == "CONFIG: there is no file 'nowhere.yaml'."
    (line,) = mistakes(config="banchio")
    assert line == "CONFIG: unknown experiment or market 'banchio'. One of: banchio_skrzypacz."
    (line,) = mistakes(config="volat")
    assert line.endswith("'volat'. One of: volatility_kpi, volatility_kpi_neural.")
    (line,) = mistakes(config="kpi.bidder.profit=1")
    assert line == "CONFIG: must come before settings, got the setting 'kpi.bidder.profit=1'."


def test_what_is_no_experiment_file_is_named(tmp_path):
    (line,) = mistakes(config=str(tmp_path))
    assert line == f"CONFIG: '{tmp_path}' is a folder, not a YAML file."
    (tmp_path / "config.yaml").touch()
    (line,) = mistakes(config=str(tmp_path))
    assert f"It is a run: tacit resume {tmp_path} goes on with it" in line
    kept = write(tmp_path / "config.yaml", "{experiment: a, question: '', arms: {b: {}}}")
    (line,) = mistakes(config=kept)
    assert line.startswith(f"CONFIG: {kept} is the configuration that a run has kept")
    assert mistakes("kpi", "=", "calm")[1] == (
        "=: must have no spaces around it, as in market.bidders=3."
    )


def test_mistakes_of_a_file_and_of_the_command_line_come_together(tmp_path):
    path = write(tmp_path / "x.yaml", """
market: {name: ad_auction, biders: 3}
sead: 4
seeds: 0
arms: {a: {mrket.bids: 3}, b: {kpi.bidder.wni: 1}}
published: [{quantity: q, arm: c, measure: revenue, value: 1, tolerance: -1}]
figure: {x: kpi.bidder.win, y: revenue, lines: {one: [a, e]}}
""")  # fmt: skip
    found = mistakes("train.rounds=0", config=path, arms=["a", "b", "f"])
    assert sorted(found) == sorted([
        "sead: unknown key. Did you mean 'seed'?",
        "seeds: must be greater than or equal to 1, got 0.",
        "published.0.tolerance: must be greater than or equal to 0, got -1.",
        "market.biders: unknown key. Did you mean 'bidders'?",
        "arms.a.mrket.bids: unknown key. Did you mean 'market'?",
        "arms.b: kpi.bidder.wni: unknown measure of ad_auction. Did you mean 'win'?",
        "train.rounds: must be greater than or equal to 1, got 0.",
        "figure.lines.one: unknown arm 'e'. One of: a, b.",
        "--arm: unknown arm 'f'. One of: a, b.",
    ])  # fmt: skip


IN_FILES = [
    ("seeds: 3", "market: missing."),
    ("market: 3", "market: must be a table of keys, got 3."),
    ("market: {bidders: 3}", f"market.name: missing. One of: {KNOWN}."),
    ("arms: {a: }", "arms.a: must be a table of keys, got None."),
    (
        "figure: {x: a}",
        "figure: needs either panels, or histogram, or compare, or path, or adoption, or x, y and "
        "lines.",
    ),
    (
        "predicted: [{quantity: q, arm: base, versus: base, measure: m, expected: more}]",
        "predicted.0.expected: must be 'above', 'below' or 'same', got 'more'.",
    ),
    (
        "published: [{quantity: q, arm: bas, measure: m, value: 1, tolerance: 0}]",
        "published.0.arm: unknown arm 'bas'. Did you mean 'base'?",
    ),
    (
        "references: [{kind: litrature, arm: base, quantity: q, measure: m}]",
        "references.0.kind: unknown kind 'litrature'. Did you mean 'literature'?",
    ),
    (
        "references: [{kind: literature, arm: base, quantity: q, measure: m}]",
        "references.0.source: missing, and a row of kind literature needs it.",
    ),
    (
        "references: [{kind: closed form, arm: base, quantity: q, measure: m, value: 1}]",
        "references.0.tolerance: missing, and a row of kind closed form needs it.",
    ),
    (
        "references: [{kind: word, arm: base, word: competitive}]",
        "references.0.written: missing, and a row of kind word needs it.",
    ),
    (
        "references: [{kind: prediction, arm: base, mesure: m}]",
        "references.0.mesure: unknown key. Did you mean 'measure'?",
    ),
    (
        "references: [{kind: prediction, arm: base, quantity: q, measure: m, versus: 1,"
        " expected: same, tolerance: 1}]",
        "references.0.versus: must be another arm with expected: same (or give a value).",
    ),
]


@pytest.mark.parametrize(("text", "line"), IN_FILES)
def test_mistakes_of_an_experiment_file(text, line, tmp_path):
    market = "" if "market" in f"{text}{line}" else "market: ad_auction\n"
    assert mistakes(config=write(tmp_path / "x.yaml", market + text)) == [line]


def test_the_same_mistake_in_many_arms_is_reported_once():
    assert len(mistakes("market.bidders=1", config="volatility_kpi")) == 1


# --- arms ----------------------------------------------------------------------------------------


def test_an_unknown_arm_is_reported_with_the_nearest():
    (line,) = mistakes(config="volatility_kpi", arms=["secnd_1"])
    assert line == "--arm: unknown arm 'secnd_1'. Did you mean 'second_1'?"


@pytest.mark.parametrize("name", ["", "a b", "../a", "_band", ".a", "a/b"])
def test_a_name_that_cannot_be_a_folder_is_refused(name):
    (line,) = mistakes(as_arm=name)
    assert line.startswith(f"--as: '{name}' cannot name an arm")
    (line,) = mistakes(config={"market": "ad_auction", "arms": {name: {}}})
    assert line.startswith(f"arms: '{name}' cannot name an arm")


# --- agents that cannot play here ----------------------------------------------------------------


def test_agents_that_cannot_play_this_market_are_reported_before_training():
    rule = "agents.bidder={name: scripted, rule: grim_trigger}"
    assert mistakes(rule) == [
        "agents.bidder_0.rule: grim_trigger needs to see everybody's last action; "
        "set market.observe=bids."
    ]
    assert load("ad_auction", [rule, "market.observe=bids"])
    together = ["market.publisher=true", "agents.bidder.update=synchronous",
                "agents.publisher={name: scripted, rule: collusive}"]  # fmt: skip
    found = mistakes(*together)
    assert [line.partition(":")[0] for line in found] == [
        "agents.bidder_0.update", "agents.publisher_0.rule",
    ]  # fmt: skip


def test_an_agent_for_a_role_that_is_not_at_the_table_is_left_out():
    assert "publisher_0" not in load("ad_auction", ["agents.publisher=banchio"]).arms["base"].agents


def test_the_error_s_text_holds_every_line():
    with pytest.raises(ConfigError, match=r"(?s)seeds: must.*train\.rounds: must|train.*seeds"):
        load("ad_auction", ["seeds=0", "train.rounds=0"])


# --- numbers are numbers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("market.bidders='3'", "market.bidders: must be a number, got '3'."),
        ("market.price_mix='.5'", "market.price_mix: must be a number, got '.5'."),
        ("market.price_mix=true", "market.price_mix: must be a number, got True."),
        ("market.price_mix=1_0e-1", "market.price_mix: must be a number, got '1_0e-1'."),
        ("market.publisher=1", "market.publisher: must be true or false, got 1."),
        ("market.reserve=false", "market.reserve: must be a number, got False."),
        ("agents.bidder.discount='.5'", "agents.bidder.discount: must be a number, got '.5'."),
        ("kpi.bidder.profit='1'", "kpi.bidder.profit.weight: must be a valid number, got '1'."),
        ("seed=90071992547409920", "seed: must be at most 9,007,199,254,740,992 in size, got "
         "90071992547409920."),
    ],
)  # fmt: skip
def test_a_text_or_a_truth_value_is_no_number(word, line):
    assert line in mistakes(word)


def test_a_whole_number_may_be_written_as_any(tmp_path):
    assert arm("seed=9007199254740992").seed == 2**53
    assert arm("market.price_mix=1").plain["market"]["price_mix"] == 1.0
