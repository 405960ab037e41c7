"""Names that become folders."""

from __future__ import annotations

import pytest
from support.training_fixtures import mistakes

from tacit.envs.errors import ConfigError
from tacit.training.config.names import LONGEST, arm_mistake, folder_mistake
from tacit.training.storage.run_folder import named


@pytest.mark.parametrize("name", ["calm", "w_.5", "mu_0.01", "größer", "a+b=c", "x" * LONGEST, "A"])
def test_plain_names_are_good(name):
    assert folder_mistake(name) is None
    assert arm_mistake(name) is None


@pytest.mark.parametrize(
    ("name", "mistake"),
    [
        ("", "is no name"),
        (3, "is no name"),
        ("x" * (LONGEST + 1), f"is longer than {LONGEST} bytes"),
        ("ä" * 51, f"is longer than {LONGEST} bytes"),
        ("a\nb", "holds characters that cannot be printed"),
        ("a\x1b[0m", "holds characters that cannot be printed"),
        ("\u202eb", "holds characters that cannot be printed"),
        ("a b", "holds a space, a slash or a backslash"),
        ("a/b", "holds a space, a slash or a backslash"),
        ("a\\b", "holds a space, a slash or a backslash"),
        (".a", "begins with a dot or a dash"),
        ("-a", "begins with a dot or a dash"),
    ],
)
def test_what_cannot_name_a_folder(name, mistake):
    assert folder_mistake(name) == mistake
    assert arm_mistake(name) == mistake


@pytest.mark.parametrize(
    "name", ["config.yaml", "Summary.JSON", "ledger.jsonl", "seals.json", "incentives.json",
             "policies", "events.out.tfevents.1", "curves.out.x", "a.png", "a.tmp", "a.lock"]
)  # fmt: skip
def test_an_arm_takes_no_place_of_the_run_s_own_files(name):
    assert folder_mistake(name) is None
    assert arm_mistake(name) == "is kept for a file of the run"
    assert mistakes(as_arm=name) == [
        f"--as: {name!r} cannot name an arm, for it becomes a folder: it is kept for a file of the "
        "run."
    ]


def test_an_underscore_begins_no_arm():
    assert arm_mistake("_band") == "begins with an underscore"
    assert folder_mistake("_band") is None


def test_a_run_s_name_may_have_parts_and_each_is_checked(tmp_path):
    assert named(tmp_path, "study/first").path == tmp_path / "study/first"
    for name in ("/etc", "../x", "a/../b", "."):
        with pytest.raises(ConfigError, match="must name a folder within"):
            named(tmp_path, name)
    with pytest.raises(ConfigError, match=r"'\.b' cannot name a folder: it begins with a dot"):
        named(tmp_path, "a/.b")
