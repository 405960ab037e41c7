"""Deals as a table: right columns, harm by hand, conditions in SQL, files, the command."""

from __future__ import annotations

import csv
import os

import numpy as np
import pytest
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import small

from tacit.envs.errors import ConfigError
from tacit.oversight.harm import ReferencePlay
from tacit.training.record import deals as tables
from tacit.training.record import selection, table_file
from tacit.training.record.deals import DealColumn, deal_columns, deal_name, row_names, size
from tacit.training.record.evaluation_deals import evaluation_deals
from tacit.training.record.replay import SeedReplay
from tacit.training.record.selection import plan_deals, produce
from tacit.training.runs.runner import train
from tacit.training.storage.load_run import learned_tables, load_run

OVERPROMISE = ["train.rounds=2000", "train.measure_last=500", "seeds=1"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """An auction of two seeds, and a tender of one."""
    folder = tmp_path_factory.mktemp("results")
    small(folder)
    train("overpromise", OVERPROMISE, arms=["booking"], results=folder)
    return folder


@pytest.fixture
def auction(results):
    return load_run("ad_auction", results)


@pytest.fixture
def tender(results):
    return load_run("overpromise", results)


@pytest.fixture
def tacit(results, monkeypatch, capsys):
    return Terminal(results.parent, monkeypatch, capsys)


def table_of(run, arm, rounds=(100, 160), k=0):
    chosen = run.arms[arm]
    return produce(plan_deals(run.folder, chosen, [k], rounds))


# --- columns -------------------------------------------------------------------------------------


def test_every_figure_of_a_round_is_in_its_row(tender):
    arm = tender.arms["booking"]
    replay = SeedReplay(tender.folder, arm, 0)
    replay.go_to(100)
    recording = replay.record(60)
    deals = deal_columns(arm, 0, recording, None)
    market, supplier = arm.market, arm.market.seat("supplier_1")
    for row in range(60):
        offer = supplier.role.decode_action(int(recording.actions[row, 0, 0, supplier.index]))
        assert deals["supplier_1_did_price"].at(row) == offer["price"]
        assert deals["supplier_1_did_promise"].at(row) == offer["promise"]
        response = market.seat("buyer_0").role.decode_action(int(recording.actions[row, 0, 1, 2]))
        assert deals["buyer_0_did_response"].at(row) == response["response"]
        assert deals["buyer_0_saw_price_1"].at(row) == offer["price"]
        margin = recording.measures[row, 0, 1, market.columns["margin"]]
        assert deals["supplier_1_margin"].at(row) == margin
        assert deals["supplier_1_p"].at(row) == recording.probabilities[row, 0, 0, 1]
        assert deals["buyer_0_reward"].at(row) == recording.scores[row, 0, -1]
        assert deals["round"].at(row) == 100 + row


def test_a_deal_is_told_as_the_market_tells_it(tender):
    arm = tender.arms["booking"]
    replay = SeedReplay(tender.folder, arm, 0)
    replay.go_to(1_990)
    recording = replay.record(10)
    deals = deal_columns(arm, 0, recording, None)
    for row in range(10):
        actions = np.where(recording.actions[row, 0] < 0, 0, recording.actions[row, 0])
        told = arm.market.transcript(actions, recording.measures[row, 0])
        assert tables.in_words(arm, deals, row) == told


@pytest.mark.parametrize("text", ["", "s0/c0/r1", "s0/b0/c0/r-1", "s0/b0/c0/r1 ", "../s0"])
def test_what_is_no_name_of_a_deal_is_refused(text):
    with pytest.raises(ConfigError, match="DEAL: must be like s0/b0/c0/r1200"):
        deal_name(text)


def test_names_of_deals_can_be_read_back(auction):
    deals = table_of(auction, "base", (0, 3), k=1)
    names = list(tables.row_names(deals))
    assert [str(name) for name in names] == ["s1/b0/c0/r0", "s1/b0/c0/r1", "s1/b0/c0/r2"]
    assert [deal_name(str(name)) for name in names] == names
    assert deal_name("s0/b2/c3/r4") == (0, 2, 3, 4)


def test_evaluation_is_what_was_learned_without_exploring_or_learning(auction):
    run, arm = auction.folder, auction.arms["base"]
    policies = learned_tables(run, arm, 0)
    deals = evaluation_deals(run, arm, [0, 1], 40)
    assert size(deals) == 80
    for seat in arm.market.seats:
        greedy = policies[seat.name].argmax(axis=1)
        bids = deals[f"{seat.name}_did_bid"].values[:40]
        assert set(bids) <= {seat.role.decode_action(int(a))["bid"] for a in greedy}
        assert (deals[f"{seat.name}_p"].values == 1.0).all()
    names = list(row_names(deals))
    assert str(names[7]) == "s0/e/c0/r7"
    assert deal_name("s0/e/c0/r7") == names[7]
    for name, column in evaluation_deals(run, arm, [0], 10).items():  # the same each time
        assert column.values.tobytes() == deals[name].values[:10].tobytes()


def test_the_command_shows_evaluation(tacit, results):
    words = ["deals", "ad_auction", "--evaluation", "2", "--seed", "1", "--results", str(results)]
    rows = [row.split()[0] for row in tacit(*words).out.splitlines()[2:] if row[0] != " "]
    assert rows == ["s1/e/c0/r0", "s1/e/c0/r1"]
    (line,) = mistake_lines(tacit(*words, "--rounds", "0:1"))
    assert line == "--evaluation: has rounds of its own; leave --rounds out."
    (line,) = mistake_lines(tacit("why", "ad_auction", "s1/e/c0/r0", "--results", str(results)))
    assert line.startswith("DEAL: s1/e/c0/r0 is a round of evaluation, in which nobody learned")
    words[words.index("2")], words[words.index("1")] = "9000000", "2"
    assert len(mistake_lines(tacit(*words))) == 2


def test_every_part_has_its_column_whether_it_was_met_or_not(tender):
    """So that tables of any rounds have the same columns, and can be joined."""
    one = table_of(tender, "booking", (5, 6))
    many = table_of(tender, "booking", (0, 300))
    assert list(one) == list(many)
    assert one["buyer_0_did_response"].words == many["buyer_0_did_response"].words


# --- harm ----------------------------------------------------------------------------------------


def test_harm_in_an_auction_is_what_the_publisher_or_a_bidder_lost(auction):
    """Competitive bidders of a common value 1 bid .95 each: revenue .95, and .05 to the winner."""
    deals = table_of(auction, "base", (0, 400))
    for row in range(400):
        revenue = deals["market_revenue"].at(row)
        lost = {"market.revenue": 0.95 - revenue}
        assert deals["harm"].at(row) >= lost["market.revenue"] - 1e-12
        if deals["harmed"].at(row) == "market.revenue":
            assert deals["harm"].at(row) == pytest.approx(0.95 - revenue, abs=1e-12)
        else:
            assert deals["harm"].at(row) <= 0.05 + 1e-12  # a bidder's profit in the reference
    assert {deals["harmed"].at(row) for row in range(400)} >= {"market.revenue"}


def test_harm_has_the_rounds_own_draws_and_welfare_is_nobodys(tender):
    arm = tender.arms["booking"]
    replay = SeedReplay(tender.folder, arm, 0)
    reference = ReferencePlay(arm.market, replay.game, arm.seed)
    assert set(reference.rules.values()) == {"truthful"}
    recording = replay.record(50)
    harm = reference.harm(recording)
    assert "market.welfare" not in harm.names
    assert harm.size.shape == (50, 1)
    again = reference.harm(recording)
    assert harm.size.tobytes() == again.size.tobytes()


def test_reference_play_harms_nobody(results):
    """Scripted competitive bidders play the reference itself, tie for tie."""
    rule = "agents.bidder={name: scripted, rule: competitive}"
    train("ad_auction", [rule, "train.rounds=2000", "train.measure_last=500", "seeds=1"],
          name="honest", results=results)  # fmt: skip
    deals = table_of(load_run("honest", results), "base", (0, 500))
    assert (deals["harm"].values == 0.0).all()


def test_worst_deals_come_first_and_equal_ones_in_order():
    deals = {
        "round": DealColumn(np.arange(4)),
        "harm": DealColumn(np.array([0.1, 0.5, -1.0, 0.5])),
        "harmed": DealColumn(np.array([0, 1, 0, 1], np.int32), ("a", "b")),
    }
    best = tables.worst(deals, 3)
    assert best["round"].values.tolist() == [1, 3, 0]
    assert [best["harmed"].at(k) for k in range(3)] == ["b", "b", "a"]


def test_a_market_that_judges_harm_by_nothing_has_none(tmp_path):
    train("cheap_talk", ["train.rounds=500", "train.measure_last=100", "seeds=1"],
          arms=["bias_0"], results=tmp_path)  # fmt: skip
    run = load_run("cheap_talk", tmp_path)
    assert "harm" not in table_of(run, "bias_0", (0, 5))


# --- what is asked for ---------------------------------------------------------------------------


def test_a_plan_says_what_must_be_played(auction):
    arm = auction.arms["base"]
    plan = plan_deals(auction.folder, arm, [0, 1], (19_990, 20_000))
    assert plan.deals == 20
    keyframes = sorted(SeedReplay(auction.folder, arm, 0).marks)
    assert plan.rounds == 2 * (20_000 - keyframes[-2])
    produce(plan)
    assert plan_deals(auction.folder, arm, [0, 1], (19_990, 20_000)).rounds == 0


def test_deals_that_were_kept_are_the_same(auction, monkeypatch):
    first = table_of(auction, "base", (7, 90))
    monkeypatch.setattr(selection, "SeedReplay", None)  # nothing is played now
    again = table_of(auction, "base", (7, 90))
    assert list(again) == list(first)
    for name, column in first.items():
        for row in range(83):
            assert again[name].at(row) == column.at(row)


def test_without_arrow_deals_are_played_each_time(auction, monkeypatch):
    monkeypatch.setattr(table_file, "is_available", lambda: False)
    assert tables.size(table_of(auction, "base", (300, 310))) == 10
    assert plan_deals(auction.folder, auction.arms["base"], [0], (300, 310)).rounds > 0
    with pytest.raises(ConfigError, match=r"--where needs pyarrow and duckdb\. pip install"):
        table_file.where({}, "harm > 0")
    with pytest.raises(ConfigError, match=r"-o: a \.parquet file needs pyarrow"):
        table_file.check_name(auction.folder.path / "x.parquet")


def test_all_that_is_wrong_with_a_request_is_told(auction):
    with pytest.raises(ConfigError) as error:
        plan_deals(auction.folder, auction.arms["base"], [2, 0], (5, 20_001))
    assert error.value.mistakes == [
        "--seed: must be 0 to 1 in arm base, got 2.",
        "--rounds: seed 0 of arm base has rounds 0:20000, got 5:20001.",
    ]
    for rounds in ((3, 3), (5, 4)):
        with pytest.raises(ConfigError, match="has rounds 0:20000"):
            plan_deals(auction.folder, auction.arms["base"], [0], rounds)


def test_too_many_deals_are_refused_before_they_are_played(auction, monkeypatch):
    monkeypatch.setattr(selection, "MOST_DEALS", 99)
    with pytest.raises(ConfigError, match="100 deals are more than the 99"):
        plan_deals(auction.folder, auction.arms["base"], [0], (0, 100))


# --- SQL -----------------------------------------------------------------------------------------


def test_a_condition_chooses_rows(auction):
    deals = table_of(auction, "base", (0, 300))
    found = table_file.where(deals, "bidder_0_did_bid > .5 and harmed = 'market.revenue' -- so")
    expected = [
        row
        for row in range(300)
        if deals["bidder_0_did_bid"].at(row) > 0.5 and deals["harmed"].at(row) == "market.revenue"
    ]
    assert expected
    assert found["round"].values.tolist() == expected


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("bidder_0_did_bit > 1", "unknown column 'bidder_0_did_bit'. Did you mean 'bidder_0_did_"),
        ("1=1) ; COPY deals TO 'PLACE/evil.csv'; --", "syntax error"),
        ("1=1); ATTACH 'PLACE/evil.db'; SELECT (1", "syntax error"),
        ("1=0) UNION SELECT 999999999 FROM deals WHERE (1=1", "syntax error"),
        ("1=1 LIMIT 1", "modifiers"),
        ("round in (SELECT 1 FROM read_csv('PLACE/secret.csv'))", "Permission Error"),
        ("round in (SELECT 1 FROM 'PLACE/secret.csv')", "Permission Error"),
        ("getenv('HOME') = 'x'", "getenv"),
        ("round in (SELECT 1 FROM deals_of_python)", "deals_of_python"),
        ("harm >", "syntax error"),
        (" ", "is empty"),
        ("'\x1b]0;x' + 1", ""),
    ],
)
def test_a_condition_reads_and_writes_nothing_else(condition, told, auction, tmp_path):
    deals_of_python = table_file.as_arrow(table_of(auction, "base", (0, 3)))
    assert deals_of_python is not None  # a variable that DuckDB would find if it were let
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with pytest.raises(ConfigError) as error:
        table_file.where(
            table_of(auction, "base", (0, 3)), condition.replace("PLACE", str(tmp_path))
        )
    (line,) = error.value.mistakes
    assert line.startswith("--where: ")
    assert told in line
    assert "\n" not in line
    assert "\x1b" not in line
    assert [p.name for p in tmp_path.iterdir()] == ["secret.csv"]


# --- the command ---------------------------------------------------------------------------------


def test_the_command_shows_and_writes_deals(tacit, results, tmp_path):
    file = tmp_path / "deals.csv"
    words = ["deals", "ad_auction", "--rounds", "0:50", "--seed", "1", "--results", str(results)]
    result = tacit(*words, "--worst", "3", "-o", str(file))
    assert result.code == 0
    title, head, *lines, last = result.out.splitlines()
    rows = [line for line in lines if line[0] != " "]  # what is too long goes on in a line below
    assert title.strip() == "ad_auction, arm base"
    assert head.split()[:3] == ["deal", "harm", "to"]
    assert len(rows) == 3
    assert rows[0].startswith("s1/b0/c0/r")
    assert "bidder_0 bids" in rows[0]
    assert last == f"wrote 3 deals to {file}"
    with file.open() as opened:
        written = list(csv.DictReader(opened))
    assert [row["deal"] for row in written] == [row.split()[0] for row in rows]
    harms = [float(row["harm"]) for row in written]
    assert harms == sorted(harms, reverse=True)


def test_the_command_says_beforehand_what_it_plays(tacit, results):
    words = ["deals", "ad_auction", "--rounds", "400:450", "--seed", "0", "--results", str(results)]
    result = tacit(*words)
    assert result.err.startswith("plays ")
    assert " rounds again, about 1 s" in result.err
    assert result.out.splitlines()[-1].startswith("50 deals, of which 20 are shown; -o FILE")
    assert tacit(*words).err == ""


def test_columns_are_listed(tacit, results):
    result = tacit("deals", "ad_auction", "--columns", "--rounds", "0:1", "--results", str(results))
    assert result.out.split()[:7] == ["arm", "seed", "branch", "copy", "round", "episode", "harm"]
    assert "bidder_1_kpi_profit" in result.out.split()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--rounds", "3"], "--rounds: must be A:B, as in 0:1000, got '3'."),
        (["--rounds", "0:9" + "9" * 20], "--rounds: must be A:B"),
        (["--arm", "bas"], "--arm: unknown arm 'bas'. Did you mean 'base'?"),
        (["--seed", "2"], "--seed: must be 0 to 1 in arm base, got 2."),
        (["-o", "deals.xls"], "-o: must end in .parquet or .csv, got deals.xls."),
        (["-o", "nowhere/x.csv"], "-o: nowhere/x.csv cannot be written: there is no folder"),
    ],
)
def test_mistakes_of_the_command(words, line, tacit, results):
    (found,) = mistake_lines(tacit("deals", "ad_auction", "--results", str(results), *words))
    assert found.startswith(line)


def test_several_arms_need_a_name(tacit, results):
    small(results, as_arm="one", name="two")
    small(results, "kpi=calm", as_arm="other", name="two")
    (line,) = mistake_lines(tacit("deals", "two", "--results", str(results)))
    assert line == "--arm: is needed; the run has one, other."


# --- what is not exactly the run -----------------------------------------------------------------


def test_nothing_is_kept_in_the_run(auction):
    """Whoever can write a run could put other deals there."""
    table_of(auction, "base", (40, 60))
    kept = selection._file(auction.folder, auction.arms["base"], 0, 40, 60)
    assert kept.is_file()
    assert auction.folder.path.resolve() not in kept.resolve().parents
    names = [path.name for path in auction.folder.path.rglob("*")]
    assert not any(name.endswith(".parquet") for name in names)


def test_kept_deals_of_another_form_are_played_again(auction, monkeypatch):
    whole = table_of(auction, "base", (70, 90))
    path = selection._file(auction.folder, auction.arms["base"], 0, 70, 90)
    table_file.write_parquet(path, tables.chosen(whole, slice(0, 5)))
    assert tables.size(table_of(auction, "base", (70, 90))) == 20
    path.write_bytes(b"no Parquet")
    assert tables.size(table_of(auction, "base", (70, 90))) == 20


def test_rounds_that_lead_elsewhere_are_told_and_not_kept(auction, monkeypatch):
    monkeypatch.setattr(SeedReplay, "confirm", lambda self, report=None: "it differs")
    told = []
    plan = plan_deals(auction.folder, auction.arms["base"], [0], (111, 119))
    produce(plan, doubt=told.append)
    assert told == ["it differs"]
    assert plan_deals(auction.folder, auction.arms["base"], [0], (111, 119)).rounds > 0


def test_the_oldest_kept_deals_make_room(tmp_path, monkeypatch, auction):
    deals = table_of(auction, "base", (0, 50))
    for k in range(4):
        table_file.write_parquet(tmp_path / f"{k}.parquet", deals)
        os.utime(tmp_path / f"{k}.parquet", (k, k))
    size = (tmp_path / "0.parquet").stat().st_size
    monkeypatch.setattr(table_file, "MOST_BYTES", 2 * size)
    table_file._make_room(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["2.parquet", "3.parquet"]


@pytest.mark.slow
def test_tenants_of_the_reference_ask_for_what_they_need(tmp_path):
    """A tenant does not compete, so the honest rule goes before the competitive action."""
    train("surge_priority", ["train.rounds=400", "train.measure_last=100", "seeds=1"],
          arms=["uptime_.4"], results=tmp_path)  # fmt: skip
    run = load_run("surge_priority", tmp_path)
    replay = SeedReplay(run.folder, run.arms["uptime_.4"], 0)
    rules = ReferencePlay(replay.arm.market, replay.game, 0).rules
    assert rules["provider_0"] == "competitive"
    assert {rules[f"tenant_{k}"] for k in range(6)} == {"truthful"}


def test_of_many_copies_fewer_rounds_are_shown(auction, monkeypatch):
    monkeypatch.setattr(selection, "MOST_SHOWN", 60)
    plan = plan_deals(auction.folder, auction.arms["base"], [0, 1])
    assert [(s.first, s.last) for s in plan.stretches] == [(19_970, 20_000)] * 2


def test_without_harm_there_is_no_worst():
    with pytest.raises(ConfigError, match="--worst: this market knows no honest play"):
        tables.worst({"round": DealColumn(np.arange(3))}, 2)


def test_where_nobody_lost_nobody_is_named(results):
    rule = "agents.bidder={name: scripted, rule: competitive}"
    train("ad_auction", [rule, "train.rounds=2000", "train.measure_last=500", "seeds=1"],
          name="fair", results=results)  # fmt: skip
    deals = table_of(load_run("fair", results), "base", (0, 50))
    assert {deals["harmed"].at(row) for row in range(50)} == {None}
