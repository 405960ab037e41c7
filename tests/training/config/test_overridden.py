"""A question, and a text about a result, that the command line made false are not shown."""

from __future__ import annotations

import pytest
from support.boards import Board
from support.terminal import SMALL, Terminal

from tacit.training.config.load import load
from tacit.training.storage.load_run import load_run

QUESTION = "What do two learning bidders pay in a second-price auction?"
THREE = "market.bidders=3"


@pytest.mark.parametrize(
    ("words", "headline"),
    [
        ([], QUESTION),
        (["market.bidders=2"], QUESTION),  # as it is in any case
        (["seeds=3", "train.measure_last=5000"], QUESTION),
        ([THREE], f"ad_auction with {THREE}"),
        (["kpi.bidder.price_change=-1", "seeds=3"],
         "ad_auction with kpi.bidder.price_change=-1, seeds=3"),
        (["agents.bidder=banchio"], "ad_auction with agents.bidder=banchio"),
        (["agents.bidder_1.learning_rate=0.2"],
         "ad_auction with agents.bidder_1.learning_rate=0.2"),
    ],
)  # fmt: skip
def test_a_question_stays_as_long_as_it_is_about_this(words, headline):
    experiment = load("ad_auction", words)
    assert experiment.headline == headline
    assert experiment.question == (QUESTION if headline == QUESTION else "")


def test_the_text_about_a_result_is_about_the_file_s_own_numbers_alone():
    arms = ["second_0", "second_1"]
    shipped = load("volatility_kpi", [], arms)
    assert shipped.explains
    assert shipped.explains == load("volatility_kpi", ["market.bidders=2"], arms).explains
    few = load("volatility_kpi", ["seeds=3"], arms)
    assert (few.explains, few.headline) == ("", shipped.file.question)
    # A word that changes one arm only: the other one is still as the file says.
    one = load("volatility_kpi", ["kpi.bidder.price_change=-1"], ["first_0", "second_1"])
    assert list(one.overridden) == ["first_0"]
    assert one.question == shipped.file.question


@pytest.mark.slow
def test_where_it_is_shown(tmp_path, monkeypatch, capsys):
    """In the table, by `show`, on TensorBoard; and again once an arm is as the file says."""
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    few = [word for word in SMALL if not word.startswith("train.evaluate")]
    trained = terminal("train", "ad_auction", "--as", "three", *few, THREE)
    assert trained.code == 0, trained.err
    run = tmp_path / "results/ad_auction"
    changed = f"ad_auction with {', '.join([*few, THREE])}"
    assert changed in trained.out
    for shown in (trained.out, terminal("show", "ad_auction").out):
        assert QUESTION not in shown
    assert changed in terminal("show", "ad_auction").out
    assert changed in Board(run).text(".", "question")
    assert QUESTION in terminal("train", "ad_auction", "--as", "two", *few).out
    assert QUESTION in terminal("show", "ad_auction").out
    assert QUESTION in Board(run).text(".", "question")
    assert load_run(run).experiment.overridden["three"] == [*few, THREE]


def test_what_is_no_table_in_a_run_is_told(tmp_path, monkeypatch, capsys):
    terminal = Terminal(tmp_path, monkeypatch, capsys)
    assert terminal.train("ad_auction").code == 0
    config = tmp_path / "results/ad_auction/config.yaml"
    text = config.read_text()
    config.write_text(text[: text.index("overridden:")] + "overridden: 3\n")
    shown = terminal("show", "ad_auction")
    assert shown.code == 2
    assert "overridden: must be lists of words by arm, got 3." in shown.err
