"""`tacit tabulate`: what it prints and writes, exit codes, and what it never repeats."""

from __future__ import annotations

import json
import sys

import pytest
import yaml
from support.own_agent.chat_stub import Reply, chat_stub, completion
from support.paths import ROOT
from support.terminal import Terminal, mistake_lines

from tacit.agents.external.policy_file import read_policy

BOT = f"{sys.executable} {ROOT / 'examples/own_agent/bot.py'}"
RUDE = f"{sys.executable} {ROOT / 'tests/support/own_agent/rude_bot.py'}"
PRICING = ("cloud_bandwidth", "market.prices=5")
KEY = "sk-very-secret-0815"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(tmp_path))
    return Terminal(tmp_path, monkeypatch, capsys)


def own_bot(tacit, text: str) -> str:
    (tacit.folder / "own_bot.py").write_text(text)
    return "own_bot:act"


FIRST = "def act(question):\n    return question['actions'].index(question['actions'][0])\n"
LOWEST = (
    "def act(question):\n"
    "    prices = [a['price'] for a in question['actions']]\n"
    "    return {'action': {'price': min(prices)}}\n"
)


def chat_file(tacit, url: str, **keys) -> str:
    text = yaml.safe_dump({"name": "chat", "base_url": url, "model": "m", "pause": 0, **keys})
    (tacit.folder / "model.yaml").write_text(text)
    return "model.yaml"


def everything(tacit, result) -> str:
    """All that was printed, and all files."""
    files = [
        p.read_bytes().decode(errors="replace") for p in tacit.folder.rglob("*") if p.is_file()
    ]
    return "".join([result.out, result.err, *files])


@pytest.mark.slow
def test_a_command_becomes_a_policy_file(tacit):
    result = tacit("tabulate", BOT, *PRICING, "--seat", "provider_1", "-o", "p.safetensors")
    assert result.code == 0
    assert all(line.endswith(" answers") for line in result.err.splitlines())
    lines = result.out.splitlines()
    assert lines[0] == f"provider_1 of cloud_bandwidth: the command {BOT}"
    assert "0 moved, largest change 0 %" in lines[2]
    assert lines[4].startswith("a function of what its seat sees (its answers do not vary;")
    table, card = read_policy(tacit.folder / "p.safetensors")
    assert (card.seat, table.shape) == ("provider_1", (25, 5))
    assert card.origin["tabulated"]["passes_gate"]
    assert card.origin["agent"]["command"][1].endswith("bot.py")


@pytest.mark.slow
def test_a_function_by_its_name(tacit):
    agent = own_bot(tacit, LOWEST)
    result = tacit("tabulate", agent, "cloud_bandwidth", "market.prices=3", "--resolution", ".5")
    assert result.code == 0
    table, _ = read_policy(tacit.folder / "policy.safetensors")
    assert table[:, 0].tolist() == [1.0] * 9


@pytest.mark.slow
def test_a_bot_that_answers_by_position_is_no_function(tacit):
    agent = own_bot(tacit, FIRST)
    result = tacit("tabulate", agent, *PRICING, "--resolution", ".5", "--json")
    assert result.code == 1
    data = json.loads(result.out)
    assert not data["passes_gate"]
    assert any("when the actions stand in another order" in told for told in data["reasons"])
    assert not (tacit.folder / "policy.safetensors").exists()


def test_a_dry_run_asks_nothing(tacit):
    with chat_stub(lambda body, count: completion("A")) as stub:
        agent = chat_file(tacit, stub.url, price_in=10.0)
        result = tacit("tabulate", agent, *PRICING, "--dry-run")
    assert result.code == 0
    assert stub.requests == []
    assert "questions if its answers never vary, up to" in result.out
    assert "by the prices in its config" in result.out
    assert not list(tacit.folder.glob("policy*"))


def test_a_budget_goes_on_with_the_same_command(tacit):
    with chat_stub(lambda body, count: completion("A", {"A": 1.0})) as stub:
        words = ("tabulate", chat_file(tacit, stub.url), *PRICING, "--calls", "20")
        first = tacit(*words)
        again = tacit(*words)
    assert (first.code, again.code) == (1, 1)
    assert "not finished: the budget of 20 calls is spent" in first.out
    assert "20 answers are kept in policy.safetensors.asked.jsonl; the same command" in first.out
    assert "40 answers are kept" in again.out
    assert len(stub.requests) == 40


TIRED = """import json
print(json.dumps({"id": json.loads(input())["id"], "action": 0}), flush=True)
input()
"""


@pytest.mark.parametrize("how", ["dies", "wall of text", "never starts"])
def test_a_command_that_ends_before_its_first_answer_is_a_mistake(tacit, how):
    """The cause alone: no counts, and no file that would stand in the way of the next try."""
    result = tacit("tabulate", f"{RUDE} '{how}'", *PRICING)
    assert result.code == 2
    head, line = result.err.splitlines()
    assert head == "error: 1 mistake"
    assert line.startswith("  AGENT: no answer came: the command ")
    assert "mass" not in result.out
    assert "\x1b" not in result.out + result.err
    assert not list(tacit.folder.glob("policy*"))


def test_a_script_that_does_not_exist_is_a_mistake(tacit):
    result = tacit("tabulate", f"{sys.executable} nobot.py", *PRICING)
    assert result.code == 2
    assert "can't open file" in result.err.splitlines()[1]


def test_a_command_that_dies_after_an_answer_is_a_result(tacit):
    (tacit.folder / "tired.py").write_text(TIRED)
    result = tacit("tabulate", f"{sys.executable} tired.py", *PRICING)
    assert result.code == 1
    assert "not finished: the command" in result.out
    assert "1 answer is kept in policy.safetensors.asked.jsonl" in result.out


def test_the_key_appears_nowhere(tacit, monkeypatch):
    monkeypatch.setenv("OWN_KEY", KEY)

    def echoes(body, count):
        return completion(f"{KEY} \x1b[31m") if count < 30 else Reply({"error": KEY}, 403)

    with chat_stub(echoes) as stub:
        agent = chat_file(tacit, stub.url, key_variable="OWN_KEY")
        result = tacit("tabulate", agent, *PRICING)
    assert stub.keys[0] == f"Bearer {KEY}"
    assert result.code == 1
    assert "status 403" in result.out
    assert KEY not in everything(tacit, result)
    assert "\x1b" not in everything(tacit, result)


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        (("no_such_module:act", *PRICING), "AGENT: no_such_module:act: does not import: ModuleNot"),
        (("no-such-program", *PRICING), "AGENT: the command no-such-program does not start: No "),
        (("model.yaml", *PRICING), "AGENT: there is no file"),
        (("'open", *PRICING), 'AGENT: "\'open": No closing quotation.'),
        (("q_learning", *PRICING), "is an agent of tacit's own; tacit export writes those."),
        ((BOT, *PRICING, "--seat", "provider_9"), "--seat: unknown 'provider_9'. Did you mean"),
        ((BOT, "procurement"), "--seat: is needed. One of: buyer_0, supplier_0."),
        ((BOT, *PRICING, "--resolution", "2"), "--resolution: must be .001 to .5, got 2."),
        ((BOT, *PRICING, "-o", "nowhere/p.safetensors"), "-o: there is no folder nowhere."),
    ],
)
def test_mistakes(tacit, words, mistake):
    result = tacit("tabulate", *words)
    assert result.code == 2
    assert any(mistake in line for line in mistake_lines(result)), result.err


def test_another_machine_needs_a_word(tacit):
    agent = chat_file(tacit, "https://models.example.org/v1")
    result = tacit("tabulate", agent, *PRICING)
    assert result.code == 2
    assert "models.example.org is not this machine; nothing was sent" in result.err
