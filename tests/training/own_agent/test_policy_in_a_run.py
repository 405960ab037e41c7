"""`tacit export`, the agent `table`, and `tacit.load_policy(FILE)`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pettingzoo
import pytest
from support.training_fixtures import mistakes, small, write

import tacit
from tacit.agents.external.policy_file import card_of, read_policy, write_policy
from tacit.agents.policy import deterministic, table_hash, uniform
from tacit.envs.errors import ConfigError
from tacit.envs.registry import make_market
from tacit.oversight.signers import Signers
from tacit.training.config.load import load
from tacit.training.own_agent.export import export_policy
from tacit.training.record.reproduction import reproduce_run
from tacit.training.record.verification import verify
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import train_experiment
from tacit.training.storage.load_run import learned_tables, load_run, read_experiment

MARKET = {"name": "cloud_bandwidth", "prices": 4}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two trained seeds, and the policy of one seat of the second in a file."""
    results = tmp_path_factory.mktemp("r")
    small(results, config={"market": MARKET}, name="taught")
    found = load_run("taught", results)
    export_policy(found, "provider_0", None, 1, results / "p.safetensors")
    return found


def test_what_is_exported_is_what_was_learned(run):
    table, card = read_policy(run.folder.path.parent / "p.safetensors")
    arm = run.arms["base"]
    learned = learned_tables(run.folder, arm, 1)["provider_0"]
    assert table.tobytes() == learned.tobytes()
    assert (card.seat, card.kpi_hash) == ("provider_0", arm.kpi_hash)
    assert card.origin == {"run": "taught", "arm": "base", "seed": 1}
    assert card.market_config["prices"] == 4


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((None, None, 0), "--seat: missing"),
        (("provider_7", None, 0), "unknown 'provider_7'"),
        (("provider_0", "nobody", 0), "unknown arm 'nobody'"),
        (("provider_0", None, 2), "2 is not one of 0 .. 1"),
    ],
)
def test_what_is_not_there_is_not_exported(run, tmp_path, options, told):
    with pytest.raises(ConfigError, match=told):
        export_policy(run, *options, tmp_path / "p")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_named(run, tmp_path):
    with pytest.raises(ConfigError, match="there is no folder"):
        export_policy(run, "provider_0", None, 0, tmp_path / "no" / "p")


def own_run(tmp_path, seat="provider_1"):
    """A config in a folder of its own, which names a policy file beside it."""
    market = make_market("cloud_bandwidth", {"prices": 4})
    table = deterministic(market.roles[0], np.arange(16) % 4)
    (tmp_path / "bots").mkdir()
    path = tmp_path / "bots" / "p.safetensors"
    write_policy(path, table, card_of(market, seat, table))
    text = (
        "market: {name: cloud_bandwidth, prices: 4}\n"
        f"agents: {{{seat}: {{name: table, file: p.safetensors}}}}\n"
        "train: {rounds: 2000, measure_last: 500}\nseeds: 1\n"
    )
    return write(tmp_path / "bots" / "own.yaml", text), path, table


def test_a_policy_file_plays_in_a_run_and_does_not_learn(tmp_path):
    config, path, table = own_run(tmp_path)
    tacit.train(config, name="own", results=tmp_path)
    found = load_run("own", tmp_path)
    arm = found.arms["base"]
    assert learned_tables(found.folder, arm, 0)["provider_1"].tobytes() == table.tobytes()
    assert arm.learned == (True, False)
    plain = found.folder.read_config()["arms"]["base"]["agents"]["provider_1"]
    digest = table_hash(table)
    kept = f"policies/{digest[:16]}.safetensors"
    assert plain == {"name": "table", "file": kept, "table_hash": digest}
    assert (found.folder.path / kept).read_bytes() == path.read_bytes()


def test_a_run_that_was_moved_finds_its_policy_file_and_needs_no_other(tmp_path):
    """The folder is moved, the file that was named is gone: shown, trained on, trained again."""
    config, path, _ = own_run(tmp_path)
    tacit.train(config, name="own", results=tmp_path)
    before = load_run("own", tmp_path).summary
    path.unlink()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "own").rename(tmp_path / "elsewhere" / "other")
    found = load_run("other", tmp_path / "elsewhere")
    assert found.arms["base"].group(0).tables()[1].tobytes()
    folder = found.folder
    for name in ("checkpoint.json", "checkpoint.safetensors"):
        (folder.seed("base", 0) / name).unlink()
    again = train_experiment(read_experiment(folder), folder, NoProgress())
    assert again["measures"] == before["measures"]
    assert reproduce_run(folder, [], NoProgress()).differing == ()
    assert verify(folder, Signers(None)).altered == []


def test_a_run_of_an_earlier_version_names_its_file_by_an_absolute_path(tmp_path):
    config, path, table = own_run(tmp_path)
    tacit.train(config, name="own", results=tmp_path)
    folder = load_run("own", tmp_path).folder
    text = folder.config.read_text().replace(
        f"policies/{table_hash(table)[:16]}.safetensors", str(path)
    )
    folder.config.write_text(text)
    assert read_experiment(folder).arms["base"].agents["provider_1"].file == str(path)
    folder.config.write_text(text.replace(str(path), "../../p.safetensors"))
    with pytest.raises(ConfigError, match="leads out of the run's folder"):
        read_experiment(folder)


def test_the_same_bits_as_of_a_script_that_plays_alike(tmp_path):
    """Whether a table comes from a file or from a rule changes nothing of what its rival learns."""
    market = make_market("cloud_bandwidth", {"prices": 4})
    rule = load(
        {"market": MARKET, "agents": {"provider_1": {"name": "scripted", "rule": "tit_for_tat"}}}
    )
    arm = rule.arms["base"]
    table = arm.group(0).tables()[1]
    path = tmp_path / "p"
    write_policy(path, table, card_of(market, "provider_1", table))
    filed = load({"market": MARKET, "agents": {"provider_1": {"name": "table", "file": str(path)}}})
    groups = [arm.group(3), filed.arms["base"].group(3)]
    for group in groups:
        group.run(3_000)
    one, other = (group.state() for group in groups)
    assert one.keys() == other.keys()
    assert all(one[name].tobytes() == other[name].tobytes() for name in one)


def test_a_file_that_changed_is_refused_on_resume(tmp_path):
    config, _, _ = own_run(tmp_path)
    tacit.train(config, name="own", results=tmp_path)
    folder = load_run("own", tmp_path).folder
    path = next(folder.path.glob("policies/*"))
    (folder.seed("base", 0) / "checkpoint.json").unlink()
    other = uniform(make_market("cloud_bandwidth", {"prices": 4}).roles[0])
    write_policy(path, other, card_of(make_market(**_keys()), "provider_1", other))
    before = {p: p.read_bytes() for p in folder.path.rglob("*") if p.is_file()}
    with pytest.raises(ConfigError, match=r"was altered since it was sealed. Put it back"):
        train_experiment(read_experiment(folder), folder, NoProgress())
    path.unlink()
    with pytest.raises(ConfigError, match=r"is missing. Put it back"):
        train_experiment(read_experiment(folder), folder, NoProgress())
    changed = [p for p in before if p != path and p.read_bytes() != before[p]]
    assert [p.name for p in changed] in ([], [".lock"])


def _keys():
    return {"name": "cloud_bandwidth", "config": {"prices": 4}}


def test_every_mistake_is_named_at_once(tmp_path):
    bad = write(tmp_path / "bad.safetensors", "no policy")
    lines = mistakes(
        config={
            "market": MARKET,
            "agents": {
                "provider_0": {"name": "table", "file": bad},
                "provider_1": {"name": "table"},
            },
        }
    )
    assert len(lines) == 2
    assert "no policy file" in lines[0]
    assert lines[1].startswith("agents.provider_1.file: missing")


def test_where_a_file_lies_does_not_matter(tmp_path):
    config, path, _ = own_run(tmp_path)
    tacit.train(config, name="own", results=tmp_path)
    moved = tmp_path / "moved"
    moved.mkdir()
    for file in (path, path.with_name("own.yaml")):
        file.rename(moved / file.name)
    before = load_run("own", tmp_path).summary
    tacit.train(moved / "own.yaml", name="own", results=tmp_path)
    assert load_run("own", tmp_path).summary == before


def test_another_hash_than_the_config_says_is_refused(tmp_path):
    _, path, _ = own_run(tmp_path)
    entry = {"name": "table", "file": str(path), "table_hash": "0" * 64}
    lines = mistakes(config={"market": MARKET, "agents": {"provider_1": entry}})
    assert "has changed" in lines[0]


def test_a_policy_acts_in_a_loop_of_pettingzoo(tmp_path):
    """Nothing but the file is needed: the market is in the card."""
    _, path, table = own_run(tmp_path)
    policy = tacit.load_policy(path)
    env = pettingzoo.make(
        "parallel", "tacit/cloud_bandwidth-v0", market={"prices": 4}, episode_rounds=5
    )
    seen, _ = env.reset(seed=0)
    for _ in range(5):
        action = policy.act(seen["provider_1"])
        assert table[policy._index(seen["provider_1"])[0][0], action] == 1.0
        seen, *_ = env.step({"provider_0": 0, "provider_1": action})
    assert not env.agents


def test_a_policy_of_an_unknown_market_is_refused(tmp_path):
    market = make_market(**_keys())
    table = uniform(market.roles[0])
    card = replace(card_of(market, "provider_0", table), market="lemonade")
    write_policy(tmp_path / "p", table, card)
    with pytest.raises(ConfigError, match="lemonade"):
        tacit.load_policy(tmp_path / "p")
