"""Run folders that cannot be used: each reported in one line, before anything is trained."""

from __future__ import annotations

import pytest
from support.training_fixtures import files_of, small, write

from tacit.envs.errors import ConfigError
from tacit.training.storage.load_run import choose_arm, read_experiment
from tacit.training.storage.run_folder import RunFolder, existing_run


def test_a_file_in_place_of_a_folder(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(
        ConfigError, match=r"results: .*results/ad_auction cannot be written: Not a"
    ):
        small(tmp_path / "results")
    (tmp_path / "ad_auction").write_text("")
    with pytest.raises(
        ConfigError, match=r"results: .*ad_auction cannot be written: Not a directory"
    ):
        small(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("config.yaml", "arms: [", r"config\.yaml: not valid YAML: line 2"),
        ("config.yaml", "- a", r"config\.yaml: must hold a table"),
        ("config.yaml", "arms: {}", r"config\.yaml: does not describe a run"),
        ("config.yaml", "a: 1", r"config\.yaml: does not describe a run. Choose another --name"),
        ("summary.json", "{", r"summary\.json: cannot be read: .* Move it away; tacit resume"),
        ("summary.json", "[]", r"summary\.json: must hold a table of keys, got list. Move"),
        ("summary.json", '{"arms": {"a": 3}}', r"summary\.json: is not a summary. Move it away"),
        ("incentives.json", "{", r"incentives\.json: cannot be read"),
        ("ledger.jsonl", "{}\n", r"ledger\.jsonl: line 1 is not a ledger entry"),
    ],
)  # fmt: skip
def test_what_was_spoilt_is_named_and_nothing_is_trained(name, text, line, tmp_path):
    write(tmp_path / "ad_auction" / name, text)
    with pytest.raises(ConfigError, match=line):
        small(tmp_path)
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize(
    "arm", ["3", "{}", "{market: ad_auction}", "{market: {name: ad_auction}, kpi: {}, agents: {}}"]
)
def test_a_config_that_describes_no_run_is_named(arm, tmp_path):
    write(tmp_path / "config.yaml", f"arms: {{a: {arm}}}")
    with pytest.raises(ConfigError, match=r"config\.yaml: does not describe a run"):
        read_experiment(RunFolder(tmp_path))


def test_a_config_whose_arm_is_no_longer_valid_says_what_is_wrong(tmp_path):
    small(tmp_path)
    config = tmp_path / "ad_auction/config.yaml"
    config.write_text(config.read_text().replace("bidders: 2", "bidders: 1"))
    with pytest.raises(ConfigError, match=r"config\.yaml: market\.bidders: must be greater"):
        read_experiment(RunFolder(tmp_path / "ad_auction"))


def test_a_run_is_found_by_name_or_path_or_reported_with_the_nearest(tmp_path):
    write(tmp_path / "mine/config.yaml", "arms: {}")
    assert existing_run("mine", tmp_path).path == tmp_path / "mine"
    assert existing_run(str(tmp_path / "mine"), tmp_path / "elsewhere").name == "mine"
    with pytest.raises(ConfigError, match=r"RUN: there is no run 'mien' in .*Did you mean 'mine'"):
        existing_run("mien", tmp_path)
    with pytest.raises(ConfigError, match=r"--results: there is no folder .*elsewhere\."):
        existing_run("mine", tmp_path / "elsewhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="There are none"):
        existing_run("mine", tmp_path / "empty")


def test_an_unknown_arm_of_a_run_is_reported_with_the_nearest(tmp_path):
    small(tmp_path, as_arm="calm")
    with pytest.raises(ConfigError, match=r"--arm: unknown arm 'clam'\. Did you mean 'calm'"):
        choose_arm(read_experiment(RunFolder(tmp_path / "ad_auction")), "clam")


def test_a_folder_without_a_config_is_no_run(tmp_path):
    with pytest.raises(ConfigError, match=r"is not a run: it holds no config\.yaml"):
        read_experiment(RunFolder(tmp_path))
