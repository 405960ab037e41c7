"""`tacit list` and `show`: everything by name, a run, a learned policy in words."""

from __future__ import annotations

import os
import re

import pytest
from pydantic import BaseModel, Field
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import small

from tacit.agents.registry import AGENTS
from tacit.envs.registry import MARKETS, make_market
from tacit.training.config import files
from tacit.training.show import config_keys, listing


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    small(folder, "seeds=3", as_arm="profit")
    small(folder, "seeds=3", "kpi=calm", as_arm="calm")
    return folder


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


# --- list ----------------------------------------------------------------------------------------

NAMES = [
    name
    for group in ("markets", "agents", "experiments", "kpis", "priors")
    for name in files.names(group)
] + [*AGENTS]  # fmt: skip


def test_list_names_everything(tacit):
    result = tacit("list", "--wide")
    assert result.code == 0
    first = {line.split(" ")[0] for line in result.out.splitlines() if line}
    assert {"market", "KPI", "agent", "prior", "experiment", *NAMES} == first


def test_list_is_kept_until_a_file_changes(tacit, monkeypatch):
    file = tacit.folder / "configs" / "experiments" / "mine.yaml"
    file.parent.mkdir(parents=True)
    for question in ("First?", "Second?"):
        file.write_text(f"question: {question}\nmarket: ad_auction\n")
        made, kept = tacit("list").out, tacit("list").out
        assert made == kept
        assert question in made
        with monkeypatch.context() as patch:
            patch.setattr(listing, "rows_of_everything", lambda: [[{"nothing": "was kept"}]])
            assert tacit("list").out == made
    file.write_text("question: [")
    assert tacit("list").code == 2
    file.unlink()
    os.mkfifo(file)  # whoever read it would wait
    assert "not an ordinary file" in tacit("list").err


def test_a_list_with_code_from_elsewhere_is_made_anew(tacit, monkeypatch):
    tacit("list")
    monkeypatch.setattr(listing, "rows_of_everything", lambda: [[{"market": "anew"}]])
    monkeypatch.setitem(MARKETS, "lemonade", "lemonade_market:Lemonade")
    assert "anew" in tacit("list").out


@pytest.mark.parametrize("name", NAMES)
def test_list_of_a_name(name, tacit):
    result = tacit("list", name)
    assert (result.code, result.err) == (0, "")
    assert len(result.out.splitlines()) >= 2


def test_list_of_a_market_has_keys_bounds_and_measures(tacit):
    out = tacit("list", "ad_auction").out
    rows = {line.split()[0]: line for line in out.splitlines() if line}
    assert ">= 2, <= 16" in rows["market.bidders"]
    assert "none | price | bids" in rows["market.observe"]
    assert "money" in rows["profit"]
    assert "+" in rows["profit"]
    assert "competitive benchmark: clearing_price 0.95" in out


def test_list_says_of_each_condition_whether_the_defaults_meet_it():
    market = make_market("procurement")
    conditions = market.conditions()
    assert {bool(against) for against in conditions.values()} == {True, False}
    lines = [line for line in listing.one("procurement") if isinstance(line, str)]
    for name, against in conditions.items():
        told = f"not met by the defaults ({'; '.join(against)})" if against else "met"
        assert f"condition '{name}': {told}" in lines


def test_a_key_s_default_is_as_one_would_write_it():
    class Inner(BaseModel):
        a: int = 1
        b: float = 0.5

    class Keys(BaseModel):
        needed: int
        nothing: int | None = None
        truth: bool = True
        listed: tuple[float, ...] = (1.0, 2.5)
        made: list[int] = Field(default_factory=lambda: [3, 4])
        inner: Inner = Inner()
        word: str = "none"

    told = {name: config_keys.default_text(info) for name, info in Keys.model_fields.items()}
    assert told == {
        "needed": "required", "nothing": "null", "truth": "true", "listed": "[1.0, 2.5]",
        "made": "[3, 4]", "inner": "{a: 1, b: 0.5}", "word": "none",
    }  # fmt: skip


def test_list_of_an_unknown_name(tacit):
    (line,) = mistake_lines(tacit("list", "q_lerning"))
    assert line == "NAME: nothing is called 'q_lerning'. Did you mean 'q_learning'?"


# --- show ----------------------------------------------------------------------------------------


def test_show_a_run(tacit, results):
    result = tacit("show", "ad_auction", "--results", str(results))
    assert result.code == 0
    assert "What do two learning bidders pay in a second-price auction?" in result.out
    assert result.out.count("unvalidated objective") == 2
    assert "price_change" in result.out


WHOLE = "the whole table, line by line:"


def test_show_a_policy_in_words(tacit):
    tacit.train("ad_auction", "market.observe=price")
    out = tacit("show", "ad_auction", "--policy", "bidder_1", "--seed", "1").out
    head, kpi, *lines = out.splitlines()
    sentences, table = lines[: lines.index(WHOLE)], lines[lines.index(WHOLE) + 1 :]
    assert head == "bidder_1 of ad_auction, arm base, seed 1, without exploration"
    assert "profit" in kpi
    assert sentences[0].endswith("it stays.") or "goes round in" in sentences[0]
    assert table[0].startswith("  after last price none")
    assert all(re.fullmatch(r"  after last price [a-z. \d-]+: bid \.\d\d", line) for line in table)


@pytest.mark.slow
def test_the_whole_table_of_a_policy_on_request(tacit):
    """Two sellers see each other's last price: 225 observations, and hardly two lines alike."""
    tacit.train("cloud_bandwidth", "seeds=1", "agents.provider.stop_after=null")
    words = ("show", "cloud_bandwidth", "--policy", "provider_0")
    head = "the table, its first 40 of"
    first = tacit(*words).out.splitlines()
    at = next(k for k, line in enumerate(first) if line.startswith(head))
    count = int(first[at].removeprefix(head).split()[0])
    assert len(first) - at - 1 == 40
    every = tacit(*words, "--all").out.splitlines()
    assert every[at] == WHOLE
    assert len(every) - at - 1 == count > 40
    assert every[: at + 41][at + 1 :] == first[at + 1 :]


def test_show_only_one_arm(tacit, results):
    result = tacit("show", "ad_auction", "--arm", "calm", "--results", str(results))
    assert result.code == 0
    assert result.out.count("unvalidated objective") == 1
    starts = [line.split(" ")[0] for line in result.out.splitlines()]
    assert "calm" in starts
    assert "profit" not in starts


def test_show_of_one_arm_has_no_evidence_of_another(tacit, results):
    where = ("--results", str(results))
    out = tacit("show", "ad_auction", "--arm", "calm", *where).out
    assert "calm, collusion: " in out
    assert not re.search(r"^profit\b", out, re.MULTILINE)
    assert "calm, own-firm loss: " in out
    whole = tacit("show", "ad_auction", *where).out
    assert "profit, collusion: " in whole
    assert "profit, own-firm loss: bidder_0 0, bidder_1 0" in whole


REFUSED = [
    ("--all", "--all: goes with --policy SEAT, of whose table every line is shown."),
    ("--seed 1", "--seed: goes with --policy SEAT; results are told over all seeds."),
    ("--arm clam", "--arm: unknown arm 'clam'. Did you mean 'calm'?"),
    ("--policy bider_0", "--policy: unknown seat 'bider_0'. Did you mean 'bidder_0'?"),
    ("--policy bidder_0 --seed 3", "--seed: 3 is not one of 0 .. 2."),
    ("--policy bidder_0 --arm clam", "--arm: unknown arm 'clam'. Did you mean 'calm'?"),
]


@pytest.mark.parametrize(("words", "line"), REFUSED)
def test_show_refuses(words, line, tacit, results):
    assert mistake_lines(
        tacit("show", "ad_auction", *words.split(), "--results", str(results))
    ) == [line]
