"""What every seed of an arm asks for: found once, kept for other processes, never wrong."""

from __future__ import annotations

import os
import threading

import pytest

from tacit.emergence import found_once as module
from tacit.emergence.found_once import found_once, kept_for_others
from tacit.emergence.objective import kpi_scale
from tacit.emergence.objective import mirror as mirrors
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.jit import kept
from tacit.envs.registry import make_market

CALM = {"bidder": {"profit": 1.0, "price_change": -1.0}}


# --- one finds, others wait -----------------------------------------------------------------------


def test_two_keys_are_found_at_the_same_time_and_one_key_once():
    """Each of two keys is found only when the other is under way, which a lock would not allow."""
    known, found, meet = {}, [], threading.Barrier(2, timeout=20)

    def find(key):
        meet.wait()
        found.append(key)
        return key.upper()

    answers = []
    threads = [
        threading.Thread(
            target=lambda k=k: answers.append(found_once(known, k, lambda: find(k)))
        )
        for k in "abab"
    ]  # fmt: skip
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["A", "A", "B", "B"]
    assert sorted(found) == ["a", "b"]


def test_that_there_is_no_answer_is_kept_and_other_errors_are_not():
    known, asked = {}, []

    def fails(error):
        asked.append(error)
        raise error

    for _ in range(2):
        with pytest.raises(ConfigError, match="too large"):
            found_once(known, "a", lambda: fails(ConfigError("too large")))
    assert len(asked) == 1
    with pytest.raises(MemoryError):
        found_once(known, "b", lambda: fails(MemoryError()))
    assert found_once(known, "b", lambda: 3) == 3


# --- kept on disk ---------------------------------------------------------------------------------


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own, and nothing known in memory; few steps."""
    loops = mirrors.compiled(mirrors.TEMPLATE)  # from the usual cache
    monkeypatch.setattr(mirrors, "compiled", lambda template: loops)
    monkeypatch.setenv("TACIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(mirrors, "STEPS", 40)
    monkeypatch.setattr(mirrors, "_KNOWN", {})
    return tmp_path / "cache"


def found(market, kpi):
    """The mirror as another process finds it, and whether it had to be computed."""
    computed = []
    compute = mirrors._mirror
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mirrors, "_KNOWN", {})
        patch.setattr(mirrors, "_mirror", lambda *a: computed.append(a) or compute(*a))
        return mirrors.mirror(market, kpi), bool(computed)


def same(one, other):
    assert list(one.outcomes) == list(other.outcomes)
    for name, values in one.outcomes.items():
        assert values.tobytes() == other.outcomes[name].tobytes()
    assert (one.exact, one.moved) == (other.exact, other.moved)


def auction(**keys):
    market = make_market("ad_auction", {"bids": 4, **keys})
    return market, kpis.resolve(market, CALM)


def test_a_kept_mirror_has_the_same_bits(cache):
    first, computed = found(*auction())
    again, computed_again = found(*auction())
    assert (computed, computed_again) == (True, False)
    same(first, again)
    (path,) = (cache / "mirrors").iterdir()
    assert path.stat().st_mode & 0o077 == 0
    assert (cache / "mirrors").stat().st_mode & 0o077 == 0


def test_whatever_a_mirror_depends_on_asks_anew(cache, monkeypatch):
    market, kpi = auction()
    found(market, kpi)
    others = (auction(price_mix=1), (market, kpis.resolve(market, {"bidder": {"profit": 1.0}})))
    assert all(computed for _, computed in (found(*other) for other in others))
    monkeypatch.setattr(kept, "_versions", lambda: ["another"])
    assert found(market, kpi)[1]
    monkeypatch.setattr(mirrors, "STEPS", 41)
    assert found(market, kpi)[1]


@pytest.mark.parametrize("damage", ["digit", "cut", "other starts", "empty", "no file"])
def test_a_damaged_mirror_is_computed_again(cache, damage):
    market, kpi = auction()
    first, _ = found(market, kpi)
    (path,) = (cache / "mirrors").iterdir()
    text = path.read_text()
    if damage == "digit":
        path.write_text(text.replace("0.1", "0.2"))
        assert path.read_text() != text
    elif damage == "other starts":
        question = [*module.weighted_key(market, kpi)[1], mirrors.STEPS, mirrors.STARTS]
        question += [mirrors.MOST_ENDS, mirrors.FIRST_TABLES_KEY]
        kept.keep("mirrors", question, {"outcomes": {"a": [1.0]}, "exact": True, "moved": 0.0})
        assert path.read_text() != text
    elif damage == "no file":
        path.unlink()
        path.mkdir()
    else:
        path.write_text(text[: len(text) // 2] if damage == "cut" else "")
    again, computed = found(market, kpi)
    assert computed
    same(first, again)
    if damage != "no file":
        assert not found(market, kpi)[1]  # the damaged one was replaced


@pytest.mark.parametrize("refuses", ["full", "read-only", "no folder"])
def test_without_a_place_to_keep_it_a_mirror_is_computed(cache, monkeypatch, refuses, capfd):
    if refuses == "full":

        def full(*args, **options):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fdopen", full)
    elif refuses == "read-only":

        def denied(*args, **options):
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(kept.tempfile, "mkstemp", denied)
    else:
        cache.write_text("a file")
    first, computed = found(*auction())
    again, computed_again = found(*auction())
    assert computed
    assert computed_again
    same(first, again)
    assert capfd.readouterr() == ("", "")
    if refuses == "full":
        assert not list((cache / "mirrors").iterdir())  # no temporary file is left


def test_scales_are_kept_too(cache, monkeypatch):
    market, kpi = auction()
    monkeypatch.setattr(kpi_scale, "_KNOWN", {})
    first = kpi_scale.kpi_scales(market, kpi)
    monkeypatch.setattr(kpi_scale, "_KNOWN", {})
    monkeypatch.setattr(kpi_scale, "_kpi_scales", None)
    assert kpi_scale.kpi_scales(market, kpi).tobytes() == first.tobytes()


def test_a_market_from_elsewhere_is_asked_every_time(cache):
    market, _ = auction()

    class Mine(type(market)):
        pass

    own, asked = Mine(market.config), []
    for _ in range(2):
        kept_for_others("x", own, [1], lambda: asked.append(1) or 1, lambda x: x, int)
    assert len(asked) == 2
    assert not (cache / "x").exists()
