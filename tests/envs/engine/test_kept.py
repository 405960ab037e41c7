"""Answers that are kept between processes: found anew whenever anything is wrong with them."""

from __future__ import annotations

import pytest

from tacit.envs.jit import kept
from tacit.envs.jit.kept import is_own, keep, read_kept
from tacit.envs.market import Market


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "sums"


def test_an_answer_is_kept_for_its_question(cache):
    assert read_kept("sums", [1, 2]) is None
    keep("sums", [1, 2], [3])
    assert read_kept("sums", [1, 2]) == [3]
    assert read_kept("sums", [2, 1]) is None
    assert read_kept("products", [1, 2]) is None


def test_other_sources_and_other_versions_ask_anew(cache, monkeypatch):
    keep("sums", "1 + 2", 3)
    for name, other in (("_sources_hash", "edited"), ("_versions", ["3.99"])):
        with monkeypatch.context() as patch:
            patch.setattr(kept, name, lambda other=other: other)
            assert read_kept("sums", "1 + 2") is None
    assert read_kept("sums", "1 + 2") == 3


@pytest.mark.parametrize("text", ["", "[3", "\0"])
def test_a_file_that_was_cut_is_no_answer(cache, text):
    keep("sums", "1 + 2", [3])
    (path,) = cache.iterdir()
    path.write_text(text)
    assert read_kept("sums", "1 + 2") is None
    keep("sums", "1 + 2", [3])
    assert read_kept("sums", "1 + 2") == [3]


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "file"))
    keep("sums", "1 + 2", 3)
    assert read_kept("sums", "1 + 2") is None


def test_the_oldest_go(cache, monkeypatch):
    monkeypatch.setattr(kept, "MOST", 4)
    for k in range(9):
        keep("sums", k, k)
        assert read_kept("sums", k) == k
        assert len(list(cache.iterdir())) <= 4


def test_what_is_tacit_s_own():
    class Mine(Market):
        pass

    assert is_own(Market)
    assert is_own(keep)
    assert not is_own(Mine)
    assert not is_own(3)
