"""Compiled loops on disk: what processes that compile at once, or a cut file, do to them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numba
import pytest
from numba.core.caching import IndexDataCacheFile

from tacit.envs.jit import loops as jit
from tacit.envs.jit.decorators import loop
from tacit.envs.jit.disk_cache import SeparateFiles


def crossing_saves(kind: type[IndexDataCacheFile], folder: Path) -> list[str | None]:
    """What is read for two signatures, "a" and "b", that two processes saved at the same time.

    The first process has read the index, but not yet written it, when the second begins; the
    second's machine code is written last.
    """
    first, second = (kind(str(folder), "toy", "stamp") for _ in range(2))
    late: list[tuple[str, str]] = []
    write_index, write_code = first._save_index, second._save_data

    def second_comes_between(index):
        second._save_data = lambda name, code: late.append((name, code))
        second.save("b", "code of b")
        write_index(index)

    first._save_index = second_comes_between
    first.save("a", "code of a")
    for name, code in late:
        write_code(name, code)
    reader = kind(str(folder), "toy", "stamp")
    return [reader.load(key) for key in "ab"]


def test_two_that_save_at_once_are_never_mistaken_for_each_other(tmp_path):
    """Whose entry was lost is compiled again."""
    assert crossing_saves(SeparateFiles, tmp_path) == ["code of a", None]


def test_numba_s_own_cache_would_mistake_them(tmp_path):
    """Once this fails, Numba has repaired it, and `disk_cache` can go."""
    assert crossing_saves(IndexDataCacheFile, tmp_path) == ["code of b", None]


@pytest.fixture
def total(tmp_path, monkeypatch):
    """Makes a loop of a file in a cache of its own, as a new process does."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", "")
    path = tmp_path / "toy_total.py"
    path.write_text("def total(n):\n    return n + 1\n")
    return lambda: loop(jit._load("toy_total", path).total)


@pytest.mark.parametrize("pattern", ["*.nbc", "*.nbi"])
@pytest.mark.parametrize("left", [0, 7])
def test_a_file_that_was_cut_is_compiled_again(total, tmp_path, pattern, left):
    first = total()
    assert (first(1), first(1.5)) == (2, 2.5)
    for path in (tmp_path / "__pycache__").glob(pattern):
        path.write_bytes(path.read_bytes()[:left])
    second = total()
    assert (second(1), second(1.5)) == (2, 2.5)
    assert not second.stats.cache_hits
    third = total()
    assert (third(1), third(1.5)) == (2, 2.5)
    assert set(third.stats.cache_hits) == {(numba.int64,), (numba.float64,)}


def test_files_that_vanish_while_the_folder_is_checked_are_passed_over(tmp_path, monkeypatch):
    """Other processes write beside their files and rename what they have written."""
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("TACIT_CACHE", str(folder))
    pid = os.fork()
    if pid == 0:
        while True:
            for k in range(50):
                (folder / f"{k}.tmp").touch()
                os.replace(folder / f"{k}.tmp", folder / str(k))
    try:
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            jit._private_folder.cache_clear()
            assert jit.cache_folder() == folder
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
