"""A whole exam: its figures, its page, its exit codes, and bots that are no table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from support.training_fixtures import write
from typer.testing import CliRunner

import tacit
from tacit.agents.external.example_bots import BOTS, Rememberer
from tacit.agents.external.policy_file import card_of, write_policy
from tacit.emergence.registry import run_probes
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.training.cli import app
from tacit.training.config.load import load
from tacit.training.outcome.probing import learned_population
from tacit.training.own_agent.exam_figures import exam_figures
from tacit.training.own_agent.exam_page import exam_page
from tacit.training.own_agent.exam_text import finding_lines, head_lines, rest_lines
from tacit.training.own_agent.examine import examine
from tacit.training.own_agent.export import export_policy
from tacit.training.own_agent.findings import FOLLOWS, PUNISHES, REMEMBERS
from tacit.training.own_agent.matches import ALONE, COMPETITIVE, ITSELF, LEARNERS, play_matches
from tacit.training.own_agent.subject import Subject, find_subject
from tacit.training.storage.load_run import load_run

SMALL = ("market.prices=4", "train.rounds=2000", "train.measure_last=500")
FEW = 2  # seeds: enough for figures, too few for words


def silent(what):
    """Nobody is told."""


@pytest.fixture(scope="module")
def arm():
    return load("cloud_bandwidth", SMALL).arms["base"]


@pytest.fixture(scope="module")
def exam(arm):
    subject = find_subject("punisher", arm.market, None)
    return examine(arm, subject, silent, seeds=FEW, learned_seeds=1)


def test_the_probes_of_a_file_are_those_of_the_run(tmp_path):
    """A bot in a file, and learners: trained by `tacit train`, and trained within an exam."""
    market = make_market("cloud_bandwidth", {"prices": 4})
    table = BOTS["punisher"](market, market.seat("provider_1"))
    path = tmp_path / "bot.safetensors"
    write_policy(path, table, card_of(market, "provider_1", table))
    config = write(
        tmp_path / "own.yaml",
        "market: {name: cloud_bandwidth, prices: 4}\n"
        "agents: {provider_1: {name: table, file: bot.safetensors}}\n"
        "train: {rounds: 3000, measure_last: 500}\nseeds: 2\n",
    )
    tacit.train(config, name="own", results=tmp_path)
    run = load_run("own", tmp_path)
    arm = next(iter(load(config).arms.values()))
    subject = find_subject(str(path), arm.market, None)
    match = play_matches(arm, subject, 1, 2, silent).played[LEARNERS]
    for k, population in enumerate(match.populations):
        in_run = run_probes(learned_population(run.folder, run.arms["base"], k))
        in_exam = run_probes(population)
        assert in_run.keys() == in_exam.keys()
        assert len(in_run) > 5
        for probe, figures in in_run.items():
            np.testing.assert_equal(dict(in_exam[probe]), dict(figures), probe)


def test_a_file_and_its_table_have_the_same_exam(arm, exam, tmp_path):
    market = arm.market
    table = BOTS["punisher"](market, market.seats[0])
    path = tmp_path / "bot.safetensors"
    write_policy(path, table, card_of(market, "provider_0", table))
    subject = find_subject(str(path), market, None)
    other = examine(arm, subject, silent, seeds=FEW, learned_seeds=1)
    for own, of_file in zip(exam.findings, other.findings, strict=True):
        assert own == of_file
    assert exam.rows == other.rows
    assert exam.shares == other.shares


def test_a_trained_policy_is_examined_in_either_seat(tmp_path):
    settings = [*SMALL, "seeds=1"]
    tacit.train("cloud_bandwidth", settings, name="taught", results=tmp_path)
    path = tmp_path / "p.safetensors"
    export_policy(load_run("taught", tmp_path), "provider_0", None, 0, path)
    market = make_market("cloud_bandwidth", {"prices": 4})
    one, other = (find_subject(str(path), market, s) for s in ("provider_0", "provider_1"))
    assert other.table_of(market, "provider_0").tobytes() == one.table.tobytes()
    assert "arm: base" in one.about


def test_an_exam_has_every_part(exam):
    assert [row["against"] for row in exam.rows][:3] == [ALONE, COMPETITIVE, ITSELF]
    assert exam.rows[-1]["against"] == LEARNERS
    assert all(0 < own <= best + 1e-12 for own, best in exam.shares.values())
    assert len(exam.competence) == 2
    assert exam.exploits[0].gain > 0
    assert exam.exploits[0].exact
    assert exam.exploits[0].trained.mean <= exam.exploits[0].solved.mean + 0.02
    assert set(exam.kpi_words) == {ALONE, COMPETITIVE, ITSELF}
    assert any("bluffs" in line for line in exam.not_tested)
    lines = [*head_lines(exam), *finding_lines(exam), *rest_lines(exam)]
    assert "punisher as provider_0 of cloud_bandwidth" in lines
    json.dumps(exam.plain(), allow_nan=False)


class Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def test_the_page_needs_nothing_else_and_escapes_everything(exam):
    hostile = "<script>alert(1)</script>\x1b]0;x\x07"
    spoilt = replace(
        exam,
        agent=hostile,
        about=(hostile,),
        not_tested=(hostile,),
        gate=(hostile,),
        findings=(replace(exam.findings[0], word=hostile, evidence=(hostile,)),),
    )
    page = exam_page(spoilt, {hostile: b"png"}, "2026-11-27 01:00")
    tags = Tags(page).found
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in tags}
    assert "\x1b" not in page
    assert "\x07" not in page
    assert all(a["src"].startswith("data:image/png;base64,") for t, a in tags if t == "img")
    assert not re.findall(r"https?://|url\(|@import", page)
    assert page.count("&lt;script&gt;") >= 6


def test_there_are_two_figures(exam):
    figures = exam_figures(exam)
    assert len(figures) == 2
    assert all(png.startswith(b"\x89PNG") for png in figures.values())
    without = exam_figures(replace(exam, answers={}))
    assert list(without)[1] == "What it does at every observation"


# --- bots that are no table ----------------------------------------------------------------------


def test_a_bot_that_remembers_is_played_with_intervals(arm):
    market = arm.market
    subject = Subject(
        "rememberer", "provider_0", None, (), lambda: Rememberer(market, "provider_0"),
        ("its answers change with the question before",),
    )  # fmt: skip
    found = examine(arm, subject, silent)
    assert REMEMBERS in found.named
    assert PUNISHES in found.named  # its answer to a cut, in plays with the same luck
    assert found.table is None
    assert found.shares == {}
    assert not found.kpi_words
    assert {row["n"] for row in found.rows[:-1]} == {"12"}  # the last one: beside learners
    assert next(f for f in found.findings if f.name == FOLLOWS).holds is None
    assert any("this agent remembers" in line for line in found.not_tested)
    json.dumps(found.plain(), allow_nan=False)


class Illegal:
    """A bot that does what nobody can."""

    unanswered = 0

    def act(self, observation):
        return 99


def test_what_is_illegal_is_named(arm):
    subject = Subject("bad", "provider_0", None, (), Illegal)
    with pytest.raises(ConfigError, match="chose action 99 at observation"):
        examine(arm, subject, silent)


# --- the command ---------------------------------------------------------------------------------


def called(*words):
    return CliRunner().invoke(app, ["exam", *words])


def mistakes_of(result):
    assert isinstance(result.exception, ConfigError), result.output
    return " ".join(result.exception.mistakes)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("punishr", "cloud_bandwidth"), "Did you mean 'punisher'"),
        (("gone.safetensors", "cloud_bandwidth"), "no such file"),
        (("punisher", "cloud_bandwidth", "--seat", "provider_8"), "unknown 'provider_8'"),
        (("bluffer", "cloud_bandwidth"), "cannot bluff"),
        (("cap_parker", "cloud_bandwidth"), "--cap PART=VALUE"),
        (("cap_parker", "cloud_bandwidth", "--cap", "price"), "must be PART=VALUE"),
        (("cap_parker", "cloud_bandwidth", "--cap", "bid=1"), "parts that are numbers: price"),
        (("punisher", "cloud_bandwidth", "-o", "x.txt"), "must end in .html"),
        (("punisher", "cloud_bandwidth", "-o", "no/x.html"), "there is no folder"),
        (("punisher", "cloud_bandwidth", "--seeds", "-1"), "--seeds: must be"),
        (("punisher", "ad_auction"), "must see everybody's last action"),
    ],
)
def test_mistakes_are_named(words, told, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert told in mistakes_of(called(*words))


@pytest.mark.slow
def test_exit_codes_page_and_json(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = ("cloud_bandwidth", "market.prices=4", "--seeds", "0")
    flawed = called("punisher", *small, "-o", "exam.html", "--json")
    assert flawed.exit_code == 1, flawed.output
    assert json.loads(flawed.stdout.splitlines()[0])["named"] == [
        PUNISHES, "high prices with its like",
    ]  # fmt: skip
    assert (tmp_path / "exam.html").read_text().count("<img") == 2
    honest = called("competitive", *small)
    assert honest.exit_code == 0, honest.output
    assert "none of the flaws that were tested" in honest.output
