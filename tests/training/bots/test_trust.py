"""A config or a run folder from elsewhere names bots: nothing is run or called unasked."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
import yaml
from support.own_agent.chat_stub import chat_stub, completion
from support.paths import ROOT
from support.terminal import SMALL, Terminal, mistake_lines

import tacit as package
from tacit.agents.external.policy_file import read_policy
from tacit.agents.live.answers import LiveAnswer
from tacit.envs.errors import ConfigError
from tacit.training import cli
from tacit.training.attend import serve
from tacit.training.cli import look
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage import seals
from tacit.training.storage.run_folder import RunFolder

SLOW = pytest.mark.slow
BOT = ROOT / "examples/own_agent/bot.py"


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(tmp_path))
    return Terminal(tmp_path, monkeypatch, capsys)


TRAP = "import pathlib\npathlib.Path({!r}).write_text('it ran')\ndef act(question): return 0\n"


def traps(tacit, url: str) -> list[dict[str, object]]:
    """Agents that leave a trace as soon as one of them is imported, executed or called."""
    trace = str(tacit.folder / "trace")
    (tacit.folder / "trap.py").write_text(TRAP.format(trace))
    return [
        {"name": "external", "call": "trap:act"},
        {"name": "external", "command": [sys.executable, str(tacit.folder / "trap.py")]},
        {"name": "chat", "base_url": url, "model": "m"},
    ]


def no_trace(tacit, stub) -> bool:
    return (
        not (tacit.folder / "trace").exists() and stub.requests == [] and "trap" not in sys.modules
    )


def test_training_says_what_it_would_run_and_runs_nothing(tacit):
    with chat_stub(lambda body, count: completion("A")) as stub:
        call, command, chat = traps(tacit, stub.url)
        file = {
            "market": {"name": "cloud_bandwidth", "providers": 3, "prices": 3},
            "agents": {"provider_0": call, "provider_1": command, "provider_2": chat},
        }
        (tacit.folder / "theirs.yaml").write_text(yaml.safe_dump(file))
        for words in (("train",), ("lint",), ("sweep", "--grid", "market.prices=3,4")):
            result = tacit(words[0], "theirs.yaml", *words[1:])
            assert result.code == 2, result
        result = tacit("train", "theirs.yaml")
        shown = tacit("train", "theirs.yaml", "--show")
        assert shown.code == 0
        with pytest.raises(ConfigError, match="would run the Python function trap:act"):
            package.train("theirs.yaml")
        assert no_trace(tacit, stub)
    program = f"{sys.executable} {tacit.folder / 'trap.py'}"
    assert mistake_lines(result) == [
        "base.agents.provider_0: would run the Python function trap:act.",
        f"base.agents.provider_1: would run the command {program}.",
        f"base.agents.provider_2: would run requests to {stub.url} (model m).",
        "agents: nothing was run. If you trust all of this: tacit train CONFIG --trust-agents, "
        "which makes policy files of it (and asks live agents in every round); or tacit tabulate.",
    ]
    assert not (tacit.folder / "results").exists()


ON_RUNS = (
    ("show", "theirs"), ("show", "theirs", "--policy", "bidder_0"),
    ("show", "theirs", "--policy", "bidder_1"), ("compare", "theirs"), ("report", "theirs"),
    ("audit", "verify", "theirs"), ("audit", "verify", "theirs", "--replay", "all"),
    ("audit", "seal", "theirs"), ("audit", "reproduce", "theirs"), ("resume", "theirs"),
    ("train", "results/theirs/config.yaml"), ("train", "theirs", "--cell", "0"),
    ("best-response", "theirs"), ("deals", "theirs"), ("why", "theirs", "s0/b0/c0/r299"),
    ("blame", "theirs", "--reference", "base"), ("explain", "theirs"), ("list", "theirs"),
    ("reproduce", "theirs"),
    ("export", "theirs", "--seat", "bidder_0"), ("export", "theirs", "--seat", "bidder_1"),
    ("play", "theirs", "--seat", "bidder_0"), ("play", "theirs", "--seat", "bidder_1"),
    ("board", "theirs"), ("sweep", "theirs"), ("phase", "theirs", "--x", "seed", "--y", "seeds"),
    ("attend", "theirs"), ("attend", "theirs", "--seed", "0", "--no-page", "--pace", "max"),
    ("ctl", "theirs", "status"), ("sign", "theirs", "--by", "me", "--reason", "none"),
)  # fmt: skip
ON_CONFIGS = (
    ("train", "theirs.yaml"), ("train", "theirs.yaml", "--show"), ("lint", "theirs.yaml"),
    ("drill", "theirs.yaml"), ("reproduce", "theirs.yaml"), ("list", "theirs.yaml"),
    ("sweep", "theirs.yaml", "--grid", "seed=1,2"),
    ("sweep", "theirs.yaml", "--grid", "seed=1,2", "--dry-run"),
    ("play", "theirs.yaml", "--seat", "bidder_1"), ("play", "theirs.yaml", "--seat", "bidder_0"),
    ("exam", "competitive", "theirs.yaml", "--seat", "bidder_1", "--seeds", "1"),
    ("exam", "competitive", "theirs.yaml", "--seat", "bidder_0", "--seeds", "1"),
)  # fmt: skip
# They read files of data or a bot that their user names, and no run and no config of agents.
NO_RUN = {"calibrate", "screen", "tabulate"}


def test_every_command_is_tried():
    walked = {words[0] for words in (*ON_RUNS, *ON_CONFIGS)}
    assert walked | NO_RUN >= {name for _, name, _ in cli.COMMANDS} | {"audit"}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run, as it is sent on."""
    folder = tmp_path_factory.mktemp("finished")
    package.train("ad_auction", SMALL, name="theirs", results=folder)
    return folder / "theirs"


class Says:
    """Answers a live bot's questions without one."""

    def __init__(self, market):
        self.market = market

    def answer(self, decision):
        count = self.market.seat(decision.seat).role.legal[decision.observation, 1]
        return LiveAnswer("action", 0, np.eye(count)[0])

    def close(self):
        pass


def config_with(agent, **more):
    train = {"rounds": 300, "measure_last": 100, "evaluate_every": 100}
    file = {"market": "ad_auction", "agents": {"bidder_0": agent}, "train": train, "seeds": 1}
    return file | more


@pytest.fixture(scope="module")
def with_live(tmp_path_factory):
    """A finished run with a live agent in bidder_0, as it is sent on."""
    folder = RunFolder(tmp_path_factory.mktemp("live") / "theirs")
    agent = {"name": "external", "call": "trap:act", "live": True}
    experiment = load(config_with(agent))
    train_experiment(experiment, folder, NoProgress(), live=lambda arm, k: Says(arm.market))
    return folder.path


def no_port(port):
    raise ConfigError("--port: none here.")


def walk(tacit, commands, stub, prepare):
    """Try commands, each on a fresh copy; the last word of each about what it refuses."""
    told = {}
    for words in commands:
        prepare()
        result = tacit(*words)
        assert result.code in (0, 1, 2), (words, result)
        assert "Traceback" not in result.out + result.err, words
        assert no_trace(tacit, stub), words
        told[words] = result
    return told


def on_a_run(tacit, source, stub, agent):
    """What makes a run of somebody who has edited config.yaml and sent the folder on."""
    run = tacit.folder / "results/theirs"

    def prepare():
        shutil.rmtree(tacit.folder / "results", ignore_errors=True)
        shutil.copytree(source, run)
        if agent is not None:
            config = yaml.safe_load((run / "config.yaml").read_text())
            for arm in config["arms"].values():
                arm["agents"]["bidder_0"] = agent
            (run / "config.yaml").write_text(yaml.safe_dump(config))

    return prepare


WHICH = [0, pytest.param(1, marks=SLOW), pytest.param(2, marks=SLOW)]


@pytest.mark.parametrize("which", WHICH)
def test_no_command_on_a_run_folder_runs_what_it_names(tacit, finished, which, monkeypatch):
    """Nor where every hash was forged, so that nothing shows that the file was altered."""
    monkeypatch.setattr(look, "_serve", lambda path, port, links: None)
    monkeypatch.setattr(serve, "listen", no_port)
    with chat_stub(lambda body, count: completion("A")) as stub:
        prepare = on_a_run(tacit, finished, stub, traps(tacit, stub.url)[which])
        found = walk(tacit, ON_RUNS, stub, prepare)
        assert "was altered since it was sealed" in found["deals", "theirs"].err
        monkeypatch.setattr(seals, "_altered_files", lambda run, known: [])
        monkeypatch.setattr(seals, "_altered_seeds", lambda run, counts, known: [])
        found = walk(tacit, ON_RUNS, stub, prepare)
        assert "was altered since it was sealed" not in found["deals", "theirs"].err


def test_no_command_asks_a_live_agent_of_a_run_folder(tacit, with_live, monkeypatch):
    """A run that is as it was made: answers are kept, and nobody is asked."""
    monkeypatch.setattr(look, "_serve", lambda path, port, links: None)
    monkeypatch.setattr(serve, "listen", no_port)
    with chat_stub(lambda body, count: completion("A")) as stub:
        traps(tacit, stub.url)
        found = walk(tacit, ON_RUNS, stub, on_a_run(tacit, with_live, stub, None))
    assert found["show", "theirs", "--policy", "bidder_1"].code == 0
    assert found["audit", "verify", "theirs", "--replay", "all"].code == 0
    assert found["resume", "theirs"].code == 0  # nothing is left to ask
    assert found["report", "theirs"].code == 0


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("which", WHICH)
def test_no_command_on_a_config_runs_what_it_names(tacit, which, live):
    with chat_stub(lambda body, count: completion("A")) as stub:
        agent = traps(tacit, stub.url)[which] | ({"live": True} if live else {})
        (tacit.folder / "theirs.yaml").write_text(yaml.safe_dump(config_with(agent)))
        found = walk(tacit, ON_CONFIGS, stub, lambda: None)
    for words in (("train", "theirs.yaml"), ("lint", "theirs.yaml")):
        assert found[words].code == 2
    for words in ON_CONFIGS[-2:]:  # exams: the bot of the config is in no match
        assert found[words].code == 0
    assert not (tacit.folder / "results").exists()


@pytest.mark.slow
def test_a_trusted_bot_is_asked_once_and_plays_as_a_table(tacit):
    file = {
        "market": {"name": "cloud_bandwidth", "prices": 3},
        "agents": {"provider_0": {"name": "external", "command": [sys.executable, str(BOT)]}},
    }
    (tacit.folder / "own.yaml").write_text(yaml.safe_dump(file))
    result = tacit("train", "own.yaml", *SMALL, "--trust-agents")
    assert result.code == 0, result.err
    assert "provider_0: asking the command" in result.out
    run = tacit.folder / "results/own"
    (policy,) = (run / "agents").glob("*.safetensors")
    table, card = read_policy(policy)
    assert (card.seat, table.shape) == ("provider_0", (9, 3))
    agents = yaml.safe_load((run / "config.yaml").read_text())["arms"]["base"]["agents"]
    assert agents["provider_0"]["name"] == "table"
    assert agents["provider_0"]["table_hash"] == card.table_hash
    again = tacit("train", "own.yaml", *SMALL, "--trust-agents")
    assert again.code == 0
    assert "asking" not in again.out + again.err
    assert tacit("resume", "own").code == 0


@pytest.mark.slow
def test_a_trusted_bot_that_is_no_function_is_not_trained_against(tacit):
    (tacit.folder / "own_bot.py").write_text("def act(question):\n    return 0\n")
    file = {
        "market": {"name": "cloud_bandwidth", "prices": 3},
        "agents": {"provider_0": {"name": "external", "call": "own_bot:act"}},
    }
    (tacit.folder / "own.yaml").write_text(yaml.safe_dump(file))
    result = tacit("train", "own.yaml", *SMALL, "--trust-agents")
    assert result.code == 2
    assert (
        "agents.provider_0: cannot be trained against as a table: its answers change" in result.err
    )
