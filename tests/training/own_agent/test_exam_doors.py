"""The exam of a bot behind a real door is the exam of its table; and one beside learners."""

from __future__ import annotations

import json
import sys

import pytest
from support.own_agent.chat_stub import chat_stub, of_table
from support.training_fixtures import write

from tacit.agents.external.example_bots import BOTS, Rememberer
from tacit.agents.external.question import Questions
from tacit.training.config.load import load
from tacit.training.own_agent.behind_door import asked_subject
from tacit.training.own_agent.examine import examine
from tacit.training.own_agent.played import play_learners
from tacit.training.own_agent.subject import Subject, subject_of_table

BOT = """
import json, sys
answers = {json.dumps(seen): action for seen, action in json.load(open(sys.argv[1]))}
for line in sys.stdin:
    question = json.loads(line)
    action = answers[json.dumps(question["observation"])]
    print(json.dumps({"id": question["id"], "action": action}), flush=True)
"""


def silent(what):
    """Nobody is told."""


@pytest.fixture(scope="module")
def arm():
    words = ("market.prices=4", "train.rounds=2000", "train.measure_last=500")
    return load("cloud_bandwidth", words).arms["base"]


@pytest.fixture(scope="module")
def table(arm):
    return BOTS["punisher"](arm.market, arm.market.seat("provider_0"))


@pytest.fixture(scope="module")
def expected(arm, table):
    subject = subject_of_table("bot", arm.market, "provider_0", table)
    return examine(arm, subject, silent, seeds=2, learned_seeds=1).plain()


def assert_same_exam(found, expected):
    """All but the bot's name."""
    assert {**found, "agent": ""} == {**expected, "agent": ""}
    assert "punishes" in found["named"]


@pytest.mark.slow
def test_a_command_has_the_exam_of_its_table(arm, table, expected, tmp_path):
    questions = Questions(arm.market, "provider_0")
    role = questions.seat.role
    rows = [
        [questions.at(o).plain()["observation"], role.decode_action(int(table[o].argmax()))]
        for o in questions.decisions
    ]
    rows_file = write(tmp_path / "rows.json", json.dumps(rows))
    word = f"{sys.executable} {write(tmp_path / 'bot.py', BOT)} {rows_file}"
    with asked_subject(word, arm.market, "provider_0", silent) as subject:
        assert (subject.table == table).all()
        found = examine(arm, subject, silent, seeds=2, learned_seeds=1)
    assert_same_exam(found.plain(), expected)


@pytest.mark.slow
def test_a_chat_has_the_exam_of_its_table(arm, table, expected, tmp_path):
    with chat_stub(of_table(arm.market, "provider_0", table)) as stub:
        text = f"name: chat\nbase_url: {stub.url}\nmodel: stub\n"
        word = write(tmp_path / "chat.yaml", text)
        with asked_subject(word, arm.market, "provider_0", silent, calls=5_000) as subject:
            assert abs(subject.table - table).max() <= 1e-12
            found = examine(arm, subject, silent, seeds=2, learned_seeds=1)
    assert_same_exam(found.plain(), expected)


class FromTable:
    """A bot by indices that counts how often it is asked."""

    def __init__(self, table):
        self.table, self.unanswered, self.asked = table, 0, 0

    def act(self, observation):
        self.asked += 1
        return int(self.table[observation].argmax())


def test_learners_beside_a_bot_that_is_played_learn_as_beside_its_table(arm, table):
    """What it is paid over the last quarter is what its frozen table is paid there."""
    from tacit.agents.external.fixed_seat import FixedSeat
    from tacit.agents.group import make_group

    bots = []

    def fresh():
        bots.append(FromTable(table))
        return bots[-1]

    found = play_learners(arm, Subject("b", "provider_0", None, (), fresh), 2, silent)
    assert [bot.asked for bot in bots] == [1_000, 1_000]
    paid = []
    for k in range(2):
        configs = {**arm.agents, "provider_0": FixedSeat.of(table)}
        group = make_group(arm.market, arm.kpi, configs, arm.seed + k, 1, None, 1_000)
        group.run(750)
        group.read()
        group.run(250)
        paid.append(float(group.read()[1][-2]))
    assert found.paid.mean == sum(paid) / 2
    assert found.name == "learners, 1,000 rounds"


def test_a_bot_that_remembers_has_a_match_with_learners(arm):
    def fresh():
        return Rememberer(arm.market, "provider_0")

    subject = Subject("r", "provider_0", None, (), fresh, ("moved",))
    exam = examine(arm, subject, silent, learned_seeds=2)
    assert [row["against"] for row in exam.rows][-1] == "learners, 1,000 rounds"
    assert not any("learners" in line for line in exam.not_tested)
    alone = examine(arm, subject, silent, learned_seeds=0)
    assert "against learners: --seeds 0" in alone.not_tested
