"""What is kept on disk, and on what it was computed: the machine, finite numbers, locks, seals."""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tacit.envs.errors import ConfigError
from tacit.envs.jit import processor as processors
from tacit.training.runs.earlier import _count, differences, mixed_machines
from tacit.training.storage import machine as machines
from tacit.training.storage import run_lock
from tacit.training.storage.atomic_files import (
    as_json,
    parse_json,
    parse_keys,
    read_json,
    seal_holds,
    write_json,
    write_sealed,
)
from tacit.training.storage.finite import check_finite, not_finite
from tacit.training.storage.run_folder import RunFolder

# --- the machine ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "found"), [("3", 3), ("1", 1), ("0", 2), ("-1", 2), ("x", 2), ("", 2), (None, 2)]
)
def test_so_many_seeds_at_once_as_are_asked_for_else_as_there_are_cores(monkeypatch, wanted, found):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {4, 5}, raising=False)
    if wanted is None:
        monkeypatch.delenv("TACIT_THREADS", raising=False)
    else:
        monkeypatch.setenv("TACIT_THREADS", wanted)
    assert machines.workers() == found


@pytest.mark.parametrize(("cores", "found"), [(8, 8), (None, 1)])
def test_without_affinity_all_cores_count(monkeypatch, cores, found):
    monkeypatch.delenv("TACIT_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert machines.workers() == found


def test_the_processor_is_as_linux_names_it_else_as_python_does(monkeypatch):
    known = {"model name": "Fast 3000", "flags": "fpu avx2 sse fma avx512f amx_tile mavx"}
    monkeypatch.setattr(processors.platform, "processor", lambda: "x86")
    monkeypatch.setattr(processors, "_cpuinfo", lambda key: known[key])
    monkeypatch.setattr(machines, "processor", processors.processor.__wrapped__)
    found = machines.machine.__wrapped__()
    assert found["processor"] == "Fast 3000"
    assert found["flags"] == ["avx2", "fma", "avx512f", "amx_tile"]
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["versions"]["numpy"] == np.__version__
    monkeypatch.setattr(processors, "_cpuinfo", lambda key: "")
    found = machines.machine.__wrapped__()
    assert (found["processor"], found["flags"]) == ("x86", [])
    assert machines._version("no-such-package") is None


def test_linux_describes_the_first_processor(monkeypatch, tmp_path):
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nmodel name\t: A: B\nflags\t\t: x y\n\nmodel name\t: C\n")
    monkeypatch.setattr(processors, "Path", lambda name: path)
    assert processors._cpuinfo("model name") == "A: B"
    assert processors._cpuinfo("flags") == "x y"
    assert processors._cpuinfo("nothing") == ""
    path.unlink()
    assert processors._cpuinfo("flags") == ""


def experiment(seeds: int):
    return SimpleNamespace(arms={"a": SimpleNamespace(seeds=seeds)})


def test_an_arm_whose_seeds_are_of_different_machines_says_which_differ_in_what():
    one = {"processor": "x", "versions": {"numpy": "1"}}
    two = {"processor": "x", "versions": {"numpy": "2"}}
    kept = {("a", k): {"machine": m} for k, m in enumerate((one, two, one, None))}
    (line,) = mixed_machines(experiment(4), kept)
    assert line == (
        "arm a mixes seeds of different machines or versions: versions.numpy: 1 (2 seeds), "
        "2 (1 seeds)"
    )
    assert mixed_machines(experiment(1), kept) == []
    unknown = {("a", 0): {"machine": one}, ("a", 1): {}}  # of an older version: it does not say
    assert mixed_machines(experiment(2), unknown) == []


def test_what_differs_is_named_up_to_three_settings():
    own = {"market": {"a": 1, "b": 2, "c": 3, "d": 4}}
    assert differences(own, own) == ""
    assert differences({"market": {"a": 1, "b": 5, "c": 3, "d": 4}}, own) == "market.b 5, here 2"
    told = "market.a None, here 1; market.b None, here 2; market.c None, here 3"
    assert differences({"market": {"d": 4}}, own) == told
    assert differences({}, own) == f"{told}; and 1 more"
    assert differences({"market": {**own["market"], "e": 5}}, own) == "market.e 5, here None"
    assert differences("x", own) == "it no longer says which arm it belongs to"


@pytest.mark.parametrize(
    ("arm", "count"),
    [({"seeds": 3}, 3), ({"seeds": 1}, 1), ({"seeds": 0}, 0), ({"seeds": -2}, 0),
     ({"seeds": True}, 0), ({"seeds": "3"}, 0), ({}, 0), (None, 0), ([3], 0)],
)  # fmt: skip
def test_seeds_are_counted_where_they_can_be_right(arm, count):
    assert _count(arm) == count


# --- numbers --------------------------------------------------------------------------------------


def test_numbers_are_finite_but_for_what_is_minus_infinite_by_design():
    from tacit.training.storage.finite import MINUS_INFINITE

    (infinite, *_) = sorted(MINUS_INFINITE)
    fine = {"q": np.array([1.0, -2.0]), "n": np.array([3]), infinite: np.array([-np.inf, 0.0])}
    assert not_finite(fine) == []
    check_finite(fine, "a", 2, 1000)
    wrong = {
        "nan": np.array([1.0, np.nan]),
        "low": np.array([-np.inf, 1.0]),
        "high": np.array([np.inf]),
        infinite: np.array([np.inf, -np.inf]),
    }
    assert not_finite(fine | wrong) == [infinite, "nan", "low", "high"]
    with pytest.raises(ConfigError, match="arm a, seed 2: after 1,000 rounds nan held numbers"):
        check_finite({"q": fine["q"], "nan": wrong["nan"]}, "a", 2, 1000)


# --- JSON -----------------------------------------------------------------------------------------


def test_a_sealed_file_is_whole_or_is_not(tmp_path):
    path = tmp_path / "x.json"
    write_sealed(path, {"a": 1, "seal": "old", "b": "ä"})
    text = path.read_bytes()
    assert seal_holds(text)
    assert parse_json(text)["a"] == 1
    for altered in (
        text.replace(b'"a": 1', b'"a": 2'), text[:-1], text + b"\n", b" " + text, text[5:], b"",
        text[:-5] + (b"0" if text[-5:-4] != b"0" else b"1") + text[-4:], b"{}\n",
    ):  # fmt: skip
        assert not seal_holds(altered)
    again = {**parse_json(text)}
    write_sealed(path, again)
    assert path.read_bytes() == text  # sealed anew, it is the same


def test_json_is_a_table_or_is_refused(tmp_path):
    path = tmp_path / "x.json"
    assert read_json(path) == {}
    write_json(path, {"a": [1, None, "ä"]})
    assert path.read_text(encoding="utf-8").count("ä") == 1
    assert read_json(path) == {"a": [1, None, "ä"]}
    for text, message in (
        ("[1]", "must hold a table of keys, got list"),
        ("{", "cannot be read"),
        ("[" * 100_000, "nested too deeply"),
        ("\udcff", "cannot be read"),
    ):
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        with pytest.raises(ConfigError, match=message):
            read_json(path)
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"a": float("nan")})


# --- locks ----------------------------------------------------------------------------------------


def test_who_holds_a_lock_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["/usr/bin/tacit", "train", "x" * 300])
    known = run_lock._this_process()
    assert known["command"].startswith("tacit train xxx")
    assert len(known["command"]) == 200
    assert known["process"] == os.getpid()
    monkeypatch.setattr(sys, "argv", [""])
    assert run_lock._this_process()["command"] == "python"
    holder = tmp_path / "holder.json"
    assert run_lock._told(holder) == "another process"
    holder.write_text("{")
    assert run_lock._told(holder) == "another process"
    write_json(holder, {"command": "tacit train", "process": 7, "host": "h", "since": "noon"})
    assert run_lock._told(holder) == "'tacit train' (process 7 on h, since noon)"


def test_a_holder_is_named_while_it_holds_and_no_longer(tmp_path):
    run = RunFolder(tmp_path / "mine")
    holder = tmp_path / "mine/.locks/holder.json"
    with run_lock.writing(run):
        assert json.loads(holder.read_text())["process"] == os.getpid()
        with run_lock.writing(run):  # the same thread, within
            pass
        assert holder.is_file()
    assert not holder.exists()


def test_what_a_killed_writer_left_is_removed_and_nothing_else(tmp_path):
    run = RunFolder(tmp_path / "mine")
    (tmp_path / "mine/base/s0").mkdir(parents=True)
    (tmp_path / "mine/.locks").mkdir()
    gone = [f".x{run_lock.TEMPORARY}", f"base/s0/.y{run_lock.TEMPORARY}"]
    gone += [f".locks/.x{run_lock.TEMPORARY}"]
    kept = [f"x{run_lock.TEMPORARY}", ".x", "write.z", "base/.write.z", "base/z"]
    for name in (*gone, *kept):
        (tmp_path / "mine" / name).write_text("")
    with run_lock.writing(run):
        pass
    assert not any((tmp_path / "mine" / name).exists() for name in gone)
    assert all((tmp_path / "mine" / name).exists() for name in kept)


plain = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
keys = st.text() | st.integers() | st.booleans() | st.none()
nested = st.recursive(
    plain,
    lambda inner: st.lists(inner) | st.dictionaries(keys, inner) | st.tuples(inner, inner),
    max_leaves=12,
)


@given(nested)
def test_json_is_indented_as_python_indents_it(data):
    assert as_json(data) == json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


@pytest.mark.parametrize(
    "data", [float("nan"), {"a": [1.0, float("inf")]}, [{"b": {"c": -np.inf}}, 1]]
)
def test_json_has_no_word_for_what_is_not_finite(data):
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(data)


@given(st.dictionaries(st.text(), nested, min_size=1), st.data())
def test_some_keys_are_parsed_as_all_are(table, data):
    """Also where texts hold what looks like a key, or keys hold line breaks."""
    text = as_json(table)
    chosen = data.draw(st.lists(st.sampled_from([*table, "another"]), unique=True))
    plain_keys = [key for key in chosen if json.dumps(key, ensure_ascii=False) == f'"{key}"']
    expected = {k: v for k, v in json.loads(text).items() if k in plain_keys}
    assert parse_keys(text.encode("utf-8", "surrogatepass"), plain_keys) == expected
