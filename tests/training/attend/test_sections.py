"""What pages are told of seeds: as they were saved last, in the present branch, at once."""

from __future__ import annotations

import json
import shutil

import pytest
from support.attend.half_trained import half_trained
from support.attend.rooms import room_on

from tacit.envs.errors import ConfigError
from tacit.training.acts.acts import Acts
from tacit.training.acts.protocol import MOST_BYTES, ActRequest
from tacit.training.attend import looks as looks_module
from tacit.training.attend.ledger_rows import act_of, forks_of, mark_of
from tacit.training.attend.looks import LookRequest, Looks
from tacit.training.attend.watch import Watch
from tacit.training.config.load import load
from tacit.training.storage.run_folder import RunFolder

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[2J"
SHOWN = "<img src=x onerror=alert(1)>\\u202e\\x1b[2J"
NAME, NAME_SHOWN = (
    "<b>eve</b>\u202e",
    "<b>eve</b>\\u202e",
)  # codes of terminals are refused in names


def look(page, **wanted):
    status, _, body = page("/api/look", json.dumps({"look": "deals", "arm": "base", **wanted}))
    return status, json.loads(body)


# --- seeds ---------------------------------------------------------------------------------------


def test_a_page_is_told_how_a_seed_stands_and_again_when_it_was_saved(run, served):
    arm = half_trained(run, 1_500, branch=0)
    experiment = load("ad_auction")
    experiment.arms["base"] = arm
    with room_on(run, experiment) as page, page.events() as events:
        told = next(data for name, data in events if name == "seed")
        assert (told["name"], told["round"], told["branch"]) == ("base/s0", 1_500, 0)
        half_trained(run, 4_321)
        told = next(data for name, data in events if name == "seed" and data["round"] == 4_321)
        assert (told["branch"], [left["branch"] for left in told["left"]]) == (1, [0])


def test_the_curve_and_the_headline_of_a_branch_that_was_left_are_not_shown(run, served):
    """The run's process keeps the last headline that was read, of whichever branch."""
    gate, watch = served.seeds()["base", 0], Watch(run, load("ad_auction").arms)

    def shown(rounds, branch, headline):
        gate.rounds, served.headlines["base", 0] = rounds, headline
        gate.tell(branch=branch, kept=[0, 100])
        watch.look()
        return watch.state["seeds"]["base/s0"]["headline"], watch.curves["base/s0"]

    assert shown(100, 0, 0.5) == (0.5, [(100, 0.5)])
    assert shown(300, 0, 0.9) == (0.9, [(100, 0.5), (300, 0.9)])
    served.ledger.append("breaker tripped", arm="base", seed=0, round=300, to=200, into=1)
    assert shown(310, 1, 0.9) == (None, [(100, 0.5)])  # quicker than the page asks
    assert shown(400, 1, 0.6) == (0.6, [(100, 0.5), (400, 0.6)])
    assert shown(150, 2, 0.6) == (None, [(100, 0.5)])
    watch._read_in["base/s0"] = 2  # as a save says
    assert shown(450, 2, 0.6) == (0.6, [(100, 0.5), (450, 0.6)])
    assert "kept" not in watch.state["seeds"]["base/s0"]


def test_acts_are_marked_where_seeds_were(run, served):
    served.seeds()["base", 0].rounds = 700
    Acts("mine", served).do(ActRequest(id="a", act="ask", by=NAME, reason="why so low?"))
    with room_on(run, load("ad_auction")) as page, page.events() as events:
        (mark,) = next(data for name, data in events if name == "marks")
    assert (mark["what"], mark["by"], mark["why"]) == ("ask", NAME_SHOWN, "why so low?")
    assert (mark["at"], mark["branch"]) == ({"base/s0": 700}, {"base/s0": 0})


@pytest.mark.parametrize("entry", [
    {"act": "breaker tripped"}, {"act": "breaker tripped", "arm": "a", "seed": 0, "band": 3},
    {"changes": 7}, {"changes": [3]}, {"changes": [{"what": "veto"}]}, {"screen": {"seeds": 3}},
    {"screen": {"seeds": {"a/s0": 7}}}, {"into": True, "to": 3}, {},
])  # fmt: skip
def test_a_ledger_may_say_anything(entry):
    assert act_of(entry)["n"] == ""
    assert list(forks_of(entry)) == []
    assert mark_of(entry) in (None, mark_of({"screen": {"seeds": {}}}))


# --- looks ---------------------------------------------------------------------------------------

WRONG = {
    "not JSON": b"deals",
    "not UTF-8": b'{"look": "\xff"}',
    "nested": b"[" * 60_000,
    "an unknown look": b'{"look": "secrets", "arm": "base"}',
    "an unknown key": b'{"look": "deals", "arm": "base", "path": "/etc"}',
    "a seed that is a word": b'{"look": "deals", "arm": "base", "seed": "0"}',
    "too many deals": b'{"look": "deals", "arm": "base", "count": 1000000}',
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_look_is_refused(kind, page):
    status, _, answer = page("/api/look", WRONG[kind])
    assert (status, json.loads(answer)["applied"]) == (400, False)


def test_a_look_that_is_too_large_or_of_another_kind_is_refused(page):
    assert page("/api/look", b"x" * (MOST_BYTES + 1))[0] == 413
    assert page("/api/look", b"{}", Content_Type="text/plain")[0] == 415
    assert page("/api/look", b"{}", Origin="http://evil.example")[0] == 403
    assert page("/api/look", method="GET")[0] == 405


def test_what_is_found_arrives_as_text(page, monkeypatch):
    async def found(self, wanted):
        return {"deals": [{"name": HOSTILE, "lines": [HOSTILE]}], HOSTILE: wanted.count}

    monkeypatch.setattr(Looks, "ask", found)
    status, told = look(page, count=3)
    assert (status, told) == (200, {"deals": [{"name": SHOWN, "lines": [SHOWN]}], SHOWN: 3})


def test_why_nothing_is_found_is_told(page, monkeypatch):
    async def nothing(self, wanted):
        raise ConfigError([f"deals: {HOSTILE}", "again."])

    monkeypatch.setattr(Looks, "ask", nothing)
    assert look(page) == (409, {"applied": False, "detail": f"deals: {SHOWN} again."})


@pytest.fixture
def saved(tmp_path):
    """A run with a seed that is held, and a configuration that a process can read."""
    run = RunFolder(tmp_path / "saved")
    arm = half_trained(run, 4_321)
    run.write_config({"market": "ad_auction", "arms": {"base": arm.plain}})
    return run


@pytest.mark.slow
def test_a_process_looks_and_one_that_takes_long_is_ended(saved):
    import asyncio

    async def asked():
        looks = Looks(saved)
        try:
            found = await looks.ask(LookRequest(look="deals", arm="base", count=2))
            assert [deal["name"] for deal in found["deals"]] == [
                "s0/b1/c0/r4320", "s0/b1/c0/r4319",
            ]  # fmt: skip
            for arm, seed in (("base", 1), ("other", 0), ("../..", 0)):
                with pytest.raises(ConfigError, match="there is no seed"):
                    await looks.ask(LookRequest(look="why", arm=arm, seed=seed, deal="s0"))
            first, looks._seconds = looks._process, 0.0
            with pytest.raises(ConfigError, match=r"deals: took more than 0 seconds"):
                await looks.ask(LookRequest(look="deals", arm="base"))
            assert await first.wait() != 0
            looks._seconds = looks_module.SECONDS
            found = await looks.ask(LookRequest(look="verdict", arm="base"))
            assert found["rounds"] == [4_321, 4_321]
            under_way = asyncio.create_task(looks.ask(LookRequest(look="verdict", arm="base")))
            await asyncio.sleep(0)
            waiting = asyncio.create_task(looks.ask(LookRequest(look="deals", arm="base")))
            await asyncio.sleep(0)
            looks.end()  # the page's command is told to end
            with pytest.raises(ConfigError, match="the process that looks has ended"):
                await under_way
            with pytest.raises(ConfigError, match="the page's command ends"):
                await waiting
            looks._has_ended = False
            shutil.rmtree(saved.path / "base")
            with pytest.raises(ConfigError, match="no finished checkpoint"):
                await looks.ask(LookRequest(look="deals", arm="base"))
        finally:
            await looks.close()

    asyncio.run(asked())
