"""`tacit explain`: every word, measure, probe and column has a sentence, from its declaration."""

from __future__ import annotations

import pytest
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines

from tacit.emergence.collusion.sharing_word import SHARING_WORDS
from tacit.emergence.collusion.verdict import QUALIFIERS
from tacit.emergence.objective.verdict import BOTH, PATIENT
from tacit.emergence.registry import CONTROLS, PROBES
from tacit.emergence.terms import COLUMNS
from tacit.emergence.verdict import WORDS
from tacit.emergence.words import MEANINGS, WORDS_BY_NAME, key_lines, short, word_page, words_given
from tacit.envs.registry import MARKETS, make_market, market_class
from tacit.training.show.findings.explain_text import PAGES, explain, names


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    "word", [*dict.fromkeys(w for own in WORDS.values() for w in own), *SHARING_WORDS, *QUALIFIERS]
)
def test_every_word_that_a_rule_can_give_is_explained(word):
    head, means, *_ = explain(word)
    assert head.startswith(f"{word}: ")
    assert means.startswith("  means: ")
    assert WORDS_BY_NAME[word].means.split()[0] in means


def test_the_page_of_a_probe_names_each_figure_once():
    for probe in (*PROBES.values(), *CONTROLS.values()):
        text = " ".join(explain(probe.name)).split("figures: ")[1].split(" page: ")[0]
        named = " ".join(text.split()).split(", ")
        assert len(set(named)) == len(named), probe.name


def test_no_word_is_declared_that_no_rule_gives():
    given = {w for own in WORDS.values() for w in own} | {*SHARING_WORDS, *QUALIFIERS}
    of_claims = {"at rivals' cost", "nobody heeds it", "the rest of the action tells it already"}
    assert set(WORDS_BY_NAME) - given == {BOTH, PATIENT} | of_claims
    rule = (ROOT / "emergence/claims/verdict.py").read_text(encoding="utf-8")
    assert all(word in rule for word in of_claims)


def test_every_measure_of_every_market_is_explained_with_its_unit():
    for market in MARKETS:
        for measure in market_class(market).measures:
            text = " ".join(explain(measure.name))
            assert f"{measure.name}: a measure of {market}" in text
            assert f"unit: {measure.unit}" in " ".join(text.split())


@pytest.mark.parametrize("market", list(MARKETS))
def test_what_a_market_derives_is_explained(market):
    made = make_market(market)
    means = {
        name: 0.5
        for m in made.measures
        for name in (m.name, *(f"{m.name}/{s.name}" for s in made.seats))
    }
    for name in made.derived(means):
        assert explain(name)


def test_every_probe_and_figure_is_explained():
    for probe in [*PROBES.values(), *CONTROLS.values()]:
        assert any("reports " in line for line in explain(probe.name)), probe.name
        for figure, meaning in probe.figures.items():
            text = " ".join(" ".join(explain(figure)).split())
            assert f"a figure of the probe {probe.name}" in text
            assert meaning in text


def test_every_column_and_every_seat_s_own_measure_is_explained():
    for column in COLUMNS:
        assert explain(column)[0] == f"{column}: a column of tables"
    assert explain("profit/bidder_0") == explain("profit")
    assert explain("undecided at n = 4") == explain("undecided")


@pytest.mark.parametrize("page", [page for pair in PAGES.values() for page in pair])
def test_the_pages_and_rules_that_it_names_are_there(page):
    assert (ROOT / page).is_file()


@pytest.mark.parametrize(
    "words", [("tacit", "collusion"), ("Tacit Collusion",), ("unpunished",), ("own_firm_loss",)]
)
def test_a_word_may_be_typed_as_one_would(words, tacit):
    result = tacit("explain", *words)
    assert (result.code, result.err) == (0, "")
    assert max(map(len, result.out.splitlines())) <= 100


def test_a_short_word_means_both_sides():
    heads = [line for line in explain("unpunished") if not line.startswith(" ")]
    assert [head.partition(":")[0] for head in heads] == [
        "above competition, unpunished", "below competition, unpunished",
    ]  # fmt: skip


def test_an_unknown_word_names_the_nearest(tacit):
    (line,) = mistake_lines(tacit("explain", "babling"))
    assert line == "WORD: nothing is called 'babling'. Did you mean 'babbling'?"
    (line,) = mistake_lines(tacit("explain", "xyzzy"))
    advice = "tacit explain lists what has a meaning, docs/glossary.md other words of tacit."
    assert line == f"WORD: nothing is called 'xyzzy'. {advice}"
    (line,) = mistake_lines(tacit("explain", "ippo"))
    assert line == "WORD: nothing is called 'ippo'. tacit list ippo describes it."


def test_without_a_word_it_lists_them(tacit):
    out = tacit("explain").out
    assert out.splitlines() == "\n".join(names()).splitlines()
    plain = " ".join(out.split())
    assert all(word in plain for word in WORDS_BY_NAME)
    assert all(probe in plain for probe in PROBES)
    assert max(map(len, out.splitlines())) <= 100


def test_the_page_of_words_has_the_same_sentences():
    page = (ROOT / "docs/words.md").read_text(encoding="utf-8")
    rows = {tuple(cell.strip() for cell in line.split("|")[1:4])
            for line in page.splitlines() if line.startswith("| ")}  # fmt: skip
    for word in MEANINGS:
        cells = tuple(text.format(side="above") for text in (word.name, word.means, word.not_means))
        assert cells in rows, word.name


def test_tensorboard_s_page_has_every_word():
    page = word_page()
    assert all(f"| {name} | {own.means} |" in page for name, own in WORDS_BY_NAME.items())


def test_words_of_an_arm_in_one_cell():
    verdicts = [
        {
            "word": "below competition, unpunished",
            "qualifiers": ["one-sided", "not an equilibrium"],
        },
        {"word": "undecided at n = 4"},
    ]
    assert words_given(verdicts) == ["below competition, unpunished", "one-sided"]
    assert words_given(verdicts[1:]) == ["undecided"]
    few = {"word": "undecided at n = 4", "qualifiers": ["rotation"]}
    assert words_given([few]) == ["undecided"]
    assert words_given([{**few, "word": "undecided"}]) == ["rotation"]
    assert words_given([]) == []
    assert short("below competition, unpunished") == "unpunished"
    assert short("a word of my own rule") == "a word of my own rule"
    first, second = key_lines(["one-sided", "below competition, unpunished", "mine"])
    assert first.startswith("unpunished = below competition, unpunished: the level is below")
    assert second.startswith("one-sided: ")
