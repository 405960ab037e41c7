"""Doors to functions and to programs: what well-behaved and rude bots leave behind."""

from __future__ import annotations

import json
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from support.paths import ROOT

from tacit.agents.external.config import ChatConfig, ExternalConfig
from tacit.agents.external.doors import (
    CallDoor,
    CommandDoor,
    DoorClosed,
    FunctionDoor,
    open_door,
)
from tacit.agents.external.doors.answers import (
    ACTION,
    FAILED,
    ILLEGAL,
    PROBABILITIES,
    REFUSAL,
    TIME_OUT,
    read_answer,
)
from tacit.agents.external.question import Questions
from tacit.agents.registry import make_config
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market

MARKET = make_market("cloud_bandwidth", {"prices": 5})
QUESTIONS = Questions(MARKET, "provider_0")
RUDE = ROOT / "tests/support/own_agent/rude_bot.py"


def rude(how: str, seconds: float = 5.0) -> CommandDoor:
    return CommandDoor([sys.executable, str(RUDE), how], seconds)


# --- answers -------------------------------------------------------------------------------------

PRICES = [action["price"] for action in QUESTIONS.at(0).actions]


@pytest.mark.parametrize(
    ("given", "kind", "row"),
    [
        ({"action": 1}, ACTION, [0, 1, 0, 0, 0]),
        ({"action": np.int64(4)}, ACTION, [0, 0, 0, 0, 1]),
        (2, ACTION, [0, 0, 1, 0, 0]),
        ("C", ACTION, [0, 0, 1, 0, 0]),
        ({"action": {"price": PRICES[3]}}, ACTION, [0, 0, 0, 1, 0]),
        ({"probabilities": [0.5, 0.25, 0, 0, 0.25]}, PROBABILITIES, [0.5, 0.25, 0, 0, 0.25]),
        ({"probabilities": [0.5, 0, 0, 0, 0]}, PROBABILITIES, [0.5, 0, 0, 0, 0]),
        ({"refuse": "against my policy"}, REFUSAL, [0] * 5),
        ({"action": 5}, ILLEGAL, [0] * 5),
        ({"action": -1}, ILLEGAL, [0] * 5),
        ({"action": True}, ILLEGAL, [0] * 5),
        ({"action": 1.0}, ILLEGAL, [0] * 5),
        ({"action": {"price": 1e9}}, ILLEGAL, [0] * 5),
        ({"action": {"bid": PRICES[0]}}, ILLEGAL, [0] * 5),
        ({"probabilities": [0.5, 0.5]}, ILLEGAL, [0] * 5),
        ({"probabilities": [0.5, 0.6, 0, 0, 0]}, ILLEGAL, [0] * 5),
        ({"probabilities": [1.5, -0.5, 0, 0, 0]}, ILLEGAL, [0] * 5),
        ({"probabilities": [float("nan"), 1, 0, 0, 0]}, ILLEGAL, [0] * 5),
        ({"probabilities": "abcde"}, ILLEGAL, [0] * 5),
        ({"price": PRICES[0]}, ILLEGAL, [0] * 5),
        (None, ILLEGAL, [0] * 5),
    ],
)
def test_answers_of_the_protocol(given, kind, row):
    answer = read_answer(QUESTIONS.at(0), given)
    assert (answer.kind, answer.row.tolist()) == (kind, row)
    assert answer.illegal == pytest.approx(1 - sum(row))


def test_a_function_that_fails_gives_no_answer():
    answer = FunctionDoor(lambda question: 1 / 0).ask(QUESTIONS.at(0))
    assert (answer.kind, answer.problem) == (FAILED, "ZeroDivisionError: division by zero")


# --- the examples --------------------------------------------------------------------------------


def undercuts(observation: int) -> int:
    """What both example bots do, said another way."""
    seen = MARKET.seat("provider_0").role.decode_observation(observation)
    lowest = min(seen["last_price_0"], seen["last_price_1"])
    return max(sum(price < lowest for price in PRICES) - 1, 0)


@pytest.mark.parametrize("program", [(sys.executable, "bot.py"), ("node", "bot.js")])
def test_the_example_bots_undercut(program):
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    script = ROOT / "examples/own_agent" / program[1]
    assert len([x for x in script.read_text().splitlines() if x.strip()]) <= 20
    door = CommandDoor([program[0], str(script)])
    try:
        for o in range(0, 25, 3):
            assert door.ask(QUESTIONS.at(o)).row.argmax() == undercuts(o)
    finally:
        door.close()


# --- functions of Python -------------------------------------------------------------------------


@pytest.fixture
def module(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(text: str) -> str:
        (tmp_path / "own_bot.py").write_text(text)
        return "own_bot:act"

    return write


def test_a_function_answers_from_a_process_of_its_own(module):
    door = CallDoor(module(
        "import numpy as np\n"
        "def act(question):\n"
        "    print('hello', question['seat'])\n"
        "    return np.int64(len(question['actions']) - 1)\n"
    ))  # fmt: skip
    assert door.ask(QUESTIONS.at(0)).row.tolist() == [0, 0, 0, 0, 1]
    assert "own_bot" not in sys.modules
    fresh = door.fresh()
    assert fresh is not None
    assert fresh.ask(QUESTIONS.at(1)).kind == ACTION
    fresh.close()
    door.close()
    with pytest.raises(DoorClosed, match="is closed"):
        door.ask(QUESTIONS.at(0))


def test_a_function_that_raises(module):
    door = CallDoor(module("def act(question):\n    raise KeyError('price')\n"))
    answer = door.ask(QUESTIONS.at(0))
    assert (answer.kind, answer.problem) == (FAILED, "KeyError: 'price'")
    door.close()


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module"),
        ("def act(:", "SyntaxError"),
        ("act = 3", "own_bot:act is not callable"),
        ("def play(question): ...", "AttributeError: module 'own_bot' has no attribute 'act'"),
        ("import sys; sys.exit(4)", "SystemExit: 4"),
        ("import os; os._exit(4)", "has ended .exit code 4."),
    ],
)
def test_a_module_that_does_not_import_is_told_in_a_line(module, text, mistake):
    with pytest.raises(DoorClosed, match=f"own_bot:act: does not import: .*{mistake}"):
        CallDoor(module(text))


def test_a_module_that_hangs_on_import(module):
    with pytest.raises(DoorClosed, match=r"own_bot:act: the import takes more than 0\.3 seconds"):
        CallDoor(module("import time; time.sleep(60)"), start_seconds=0.3)


# --- rude programs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("how", "kind", "problem"),
    [
        ("prints to stdout", ACTION, ""),
        ("wrong id", FAILED, "an answer with the id 1001"),
        ("half a JSON", FAILED, "an object of JSON that does not end"),
        ("illegal", ILLEGAL, "names no legal action"),
        ("not a number", ILLEGAL, "probabilities that are not finite and >= 0"),
        ("refuses", REFUSAL, "refused"),
    ],
)
def test_rude_programs_leave_results(how, kind, problem):
    door = rude(how)
    answer = door.ask(QUESTIONS.at(0))
    assert answer.kind == kind
    assert problem in answer.problem
    assert door.noise == (["thinking \x1b[2J ..."] if how == "prints to stdout" else [])
    assert door.ask(QUESTIONS.at(1)).kind == kind
    door.close()


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("dies", r"has ended \(exit code 3\)"),
        ("never starts", r"has ended \(exit code 1\): no licence"),
        ("wall of text", "wrote a line of more than 1,048,576 bytes"),
    ],
)
def test_a_program_that_is_gone_closes_its_door(how, reason):
    door = rude(how)
    with pytest.raises(DoorClosed, match=reason):
        door.ask(QUESTIONS.at(0))
    with pytest.raises(DoorClosed, match=reason):
        door.ask(QUESTIONS.at(0))
    door.close()


def test_a_program_that_hangs_is_given_up():
    door = rude("hangs", seconds=0.05)
    for _ in range(3):
        answer = door.ask(QUESTIONS.at(0))
        assert (answer.kind, answer.problem) == (TIME_OUT, "no answer in 0.05 seconds")
    with pytest.raises(DoorClosed, match="left 3 questions in a row without an answer"):
        door.ask(QUESTIONS.at(0))
    door.close()


def test_a_program_that_never_reads_blocks_nobody():
    wide = Questions(make_market("cloud_bandwidth", {"prices": 1000, "memory": 0}), "provider_0")
    door = rude("never reads", seconds=0.05)
    question = wide.at(0)
    assert 3 * len(json.dumps(question.plain())) > 65_536  # more than a pipe holds
    assert [door.ask(question).kind for _ in range(3)] == [TIME_OUT] * 3
    with pytest.raises(DoorClosed, match="without an answer"):
        door.ask(question)
    door.close()


def test_answers_in_another_order_find_their_questions():
    door = rude("in pairs backwards")
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(door.ask, [QUESTIONS.at(0), QUESTIONS.at(1)]))
    assert [answer.kind for answer in answers] == [ACTION, ACTION]
    door.close()


def test_a_program_that_does_not_exist():
    with pytest.raises(DoorClosed, match="the command no-such-bot does not start: No such file"):
        CommandDoor(["no-such-bot"])


# --- configs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "mistake"),
    [
        ({"name": "external"}, "agents.x.call: needs either call or command, and not both."),
        (
            {"name": "external", "call": "os.system"},
            "agents.x.call: must be module:function, as in my.bot:act, got 'os.system'.",
        ),
        (
            {"name": "external", "command": []},
            "agents.x.command: must be a program and its arguments, as in [python, bot.py].",
        ),
        (
            {"name": "chat", "base_url": "ftp://x", "model": "m"},
            "agents.x.base_url: must begin with http:// or https:// and name a host.",
        ),
        (
            {"name": "chat", "base_url": "http://me:secret@localhost/v1", "model": "m"},
            "agents.x.base_url: must hold no user and no password; name a key_variable.",
        ),
        (
            {"name": "chat", "base_url": "http://localhost", "model": "m", "key_variable": "sk-1"},
            "agents.x.key_variable: must be the name of an environment variable, as in MY_KEY, "
            "not the key itself.",
        ),
    ],
)
def test_mistakes_in_configs(keys, mistake):
    with pytest.raises(ConfigError) as told:
        make_config(keys, "agents.x")
    assert told.value.mistakes == [mistake]


def test_a_config_opens_its_door(module):
    config = ExternalConfig(command=(sys.executable, str(RUDE), "refuses"))
    assert json.loads(config.model_dump_json())["command"][2] == "refuses"
    door = open_door(config)
    assert door.ask(QUESTIONS.at(0)).kind == REFUSAL
    door.close()
    door = open_door(ExternalConfig(call=module("def act(question): return 0")))
    assert door.ask(QUESTIONS.at(0)).kind == ACTION
    door.close()
    with pytest.raises(DoorClosed, match=r"example\.org is not this machine; nothing was sent"):
        open_door(ChatConfig(base_url="https://example.org/v1", model="m"))
