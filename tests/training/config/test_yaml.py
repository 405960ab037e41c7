"""YAML as people mean it, and where configs are found."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.training_fixtures import write

from tacit.envs.errors import ConfigError
from tacit.training.config import files
from tacit.training.config.files import parse

WORDS = [
    "no",
    "yes",
    "on",
    "off",
    "3e-4",
    "1e5",
    "1E5",
    "null",
    "~",
    "true",
    "",
    "1:30",
    "<<",
    "a: b",
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3e-4", 3e-4),
        ("-1e5", -1e5),
        ("2E+3", 2000.0),
        (".25", 0.25),
        ("-.5", -0.5),
        ("1.", 1.0),
        ("7", 7),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("1e", "1e"),
        ("e5", "e5"),
        ("1.2.3", "1.2.3"),
        ("[0.5, 1e-1]", [0.5, 0.1]),
        ("{a: {b: no}}", {"a": {"b": "no"}}),
    ],
)
def test_words_and_numbers(text, value):
    found = files.parse(text, "key")
    assert found == value
    assert type(found) is type(value)


def test_infinity_is_a_number_that_the_checks_behind_refuse():
    assert files.parse("[.inf, -.inf]", "key") == [float("inf"), float("-inf")]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' stands twice"),
        ("{a: {b: 1, b: 1}}", "line 1: the key 'b' stands twice"),
        ("1: a\n1: b", "line 2: the key '1' stands twice"),
        ("? [a]\n: 1", "line 1: a key must be a word"),
        ("a: [1,\nb: 2", "line 3: "),
        ("a: 'b", "line 1: "),
        ("a: !!python/object:os.system b", "line 1: could not determine a constructor"),
    ],
)
def test_bad_yaml_is_named_with_its_place_and_line(text, complaint):
    with pytest.raises(ConfigError) as error:
        files.parse(text, "here.yaml")
    (line,) = error.value.mistakes
    assert line.startswith(f"here.yaml: not valid YAML: {complaint}")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1", 1),
        ("{x: 1, y: [2, 3]}", 7),  # two tables, two keys, three numbers
        ("x: &a 1\ny: *a\nz: *a", 7),
        ("x: &a [1, 2]\ny: *a\nz: *a", 1 + 3 + 3 * 3),  # every mention is three values
        ("x: &a [1, 2]\ny: &b [*a, *a]\nz: *b", 1 + 3 + 3 + 7 + 7),
    ],
)
def test_every_mention_of_an_anchor_counts_with_all_that_it_stands_for(monkeypatch, text, values):
    monkeypatch.setattr(files, "MOST_VALUES", values)
    files.parse(text, "here")
    monkeypatch.setattr(files, "MOST_VALUES", values - 1)
    with pytest.raises(ConfigError, match=f"here: stands for more than {values - 1} values"):
        files.parse(text, "here")


def test_depth_and_length_at_their_bounds(monkeypatch):
    monkeypatch.setattr(files, "MOST_DEPTH", 3)
    assert files.parse("[[[1], [2]]]", "here") == [[[1], [2]]]
    with pytest.raises(ConfigError, match="here: is nested more than 3 deep"):
        files.parse("[[[[1]]]]", "here")
    monkeypatch.setattr(files, "MOST_BYTES", 5)
    assert files.parse("[1,2]", "here") == [1, 2]
    with pytest.raises(ConfigError, match="here: has 6 characters; at most 5 are read"):
        files.parse("[1,23]", "here")


def test_keys_are_words():
    assert files.parse("{1: a, no: b, 1e5: c}", "key") == {"1": "a", "no": "b", "1e5": "c"}


@pytest.mark.parametrize("word", WORDS)
def test_what_is_dumped_is_read_back(word):
    data = {"value": word, word: [word, 2e-05, 1e22, 1, None, False]}
    assert files.parse(files.dump_yaml(data), "key") == data


@pytest.mark.slow
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
))  # fmt: skip
def test_any_data_survives_the_round_trip(data):
    assert files.parse(files.dump_yaml({"data": data}), "key") == {"data": data}


def test_a_file_must_hold_a_table(tmp_path):
    path = tmp_path / "list.yaml"
    write(path, "- 1\n- 2\n")
    with pytest.raises(ConfigError, match=r"list\.yaml: must hold a table of keys, got list"):
        files.read_yaml(path)


def test_a_file_that_is_not_text_is_reported(tmp_path):
    path = tmp_path / "bytes.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=r"bytes\.yaml: cannot be read"):
        files.read_yaml(path)


def test_configs_beside_the_user_come_before_the_installed_ones(tmp_path, monkeypatch):
    write(tmp_path / "configs/kpis/calm.yaml", "bidder: {win: 7}")
    write(tmp_path / "configs/kpis/mine.yaml", "bidder: {win: 8}")
    monkeypatch.chdir(tmp_path)
    assert files.read_yaml(files.find("calm", ("kpis",), "kpi")) == {"bidder": {"win": 7}}
    assert {"calm", "mine", "profit"} <= set(files.names("kpis"))


def test_an_unknown_name_is_reported_with_the_nearest():
    with pytest.raises(ConfigError, match=r"kpi: unknown kpi 'clam'\. Did you mean 'calm'\?"):
        files.find("clam", ("kpis",), "kpi")
    with pytest.raises(ConfigError, match=r"kpi: there is no file 'nowhere\.yaml'"):
        files.find("nowhere.yaml", ("kpis",), "kpi")


# --- numbers, and files that were made to exhaust memory ------------------------------------------


@pytest.mark.parametrize("word", ["1:30", "1_000", "010", "0x1f", "0o17", "1_0e-1", "+-1", "1e"])
def test_what_only_looks_like_a_number_is_a_word(word):
    assert parse(f"a: {word}", "x") == {"a": word}


def test_numbers_are_those_of_yaml_1_2():
    text = "a: [0, -5, +3, 12, 1e6, .5, -0.0, 1.5e-3]"
    assert parse(text, "x") == {"a": [0, -5, 3, 12, 1e6, 0.5, -0.0, 0.0015]}


def nested(depth):
    return "[" * depth + "]" * depth


def test_depth_and_values_are_bounded_at_their_bound(monkeypatch):
    assert parse(nested(files.MOST_DEPTH), "x")
    with pytest.raises(ConfigError, match=f"x: is nested more than {files.MOST_DEPTH} deep"):
        parse(nested(files.MOST_DEPTH + 1), "x")
    monkeypatch.setattr(files, "MOST_VALUES", 20)
    assert len(parse("[" + "1, " * 18 + "1]", "x")) == 19
    with pytest.raises(ConfigError, match="x: stands for more than 20 values"):
        parse("[" + "1, " * 19 + "1]", "x")


def test_anchors_of_a_small_table_are_counted_by_hand(monkeypatch):
    monkeypatch.setattr(files, "MOST_VALUES", 15)
    # the table, its three keys, the list with 3 numbers, and twice what it stands for: 16
    text = "a: &a [1, 2, 3]\nb: *a\nc: *a"
    with pytest.raises(ConfigError, match="stands for more than 15 values"):
        parse(text, "x")
    monkeypatch.setattr(files, "MOST_VALUES", 16)
    assert parse(text, "x")["c"] == [1, 2, 3]


def test_a_long_text_a_long_number_and_a_folder_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="x: not valid YAML: Exceeds the limit"):
        parse("a: " + "9" * 6_000, "x")
    with pytest.raises(ConfigError, match="cannot be read: it is not an ordinary file"):
        files.read_yaml(tmp_path)
    monkeypatch.setattr(files, "MOST_BYTES", 5)
    assert parse("a: 22", "x") == {"a": 22}
    with pytest.raises(ConfigError, match="x: has 6 characters; at most 5 are read"):
        parse("a: 222", "x")


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}", {"x": 1, "y": 3}),
        ("a: &a {x: 1, y: 2}\nb: {y: 3, <<: *a}", {"x": 1, "y": 3}),  # wherever it stands
        ("a: &a {x: 1}\nc: &c {x: 2, z: 3}\nb: {<<: [*a, *c]}", {"x": 1, "z": 3}),
        ("a: &a {x: 1}\nc: &c {<<: *a, z: 3}\nb: {<<: *c, x: 4}", {"x": 4, "z": 3}),
        ("b: {<<: {x: {y: 1}}, x: {z: 2}}", {"x": {"z": 2}}),  # tables within are not merged
        ("b: {<<: []}", {}),
        ("b: {'<<': 1}", {"<<": 1}),  # a word
    ],
)
def test_a_table_takes_over_another_s_keys(text, data):
    assert parse(text, "file")["b"] == data


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("b: {<<: 3}", "line 1: `<<` takes over a table or several, got 3"),
        ("a: &a [1]\nb: {<<: *a}", "line 2: `<<` takes over a table or several, got 1"),
        ("b:\n  <<: {x: 1}\n  <<: {y: 1}", "line 3: the key '<<' stands twice"),
        ("b:\n  <<: {}\n  <<: {}", "line 3: the key '<<' stands twice"),
    ],
)
def test_what_cannot_be_merged_is_told(text, mistake):
    with pytest.raises(ConfigError, match=re.escape(mistake)):
        parse(text, "file")


@pytest.mark.parametrize("text", ["{name:external}", "{a: 1, b: {name:x, c: 1}}"])
def test_a_space_that_is_missing_behind_a_colon_is_named(text):
    with pytest.raises(ConfigError, match="needs a space after ':' in 'name:"):
        parse(text, "agents.bidder")
    assert parse("{'1:30': 2}", "k") == {"1:30": 2}
    within = parse("&a {x: *a}", "k")
    assert within["x"] is within
