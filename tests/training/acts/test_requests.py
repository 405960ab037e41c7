"""Requests checked whole, and the words of the command line."""

from __future__ import annotations

import json

import pytest

from tacit.envs.errors import ConfigError
from tacit.training.acts.protocol import parse_request
from tacit.training.acts.words import pace_of, redirect_of

FREE = {"kpi": {"bidder": {"price_change": 0}}}


def mistakes(**keys):
    request = {"id": "x", "by": "alice", "reason": "why", **keys}
    with pytest.raises(ConfigError) as error:
        parse_request(json.dumps(request).encode())
    return error.value.mistakes


@pytest.mark.parametrize(
    ("keys", "lines"),
    [
        ({"act": "pause", "seat": "x"}, ["seat: belongs to override, veto, not to pause."]),
        ({"act": "pause", "copy": 1}, ["copy: belongs to override, veto, not to pause."]),
        ({"act": "step", "redirect": FREE}, ["redirect: belongs to rollback, reweight"]),
        ({"act": "rollback"}, ["redirect: missing. A rollback alone plays the same"]),
        ({"act": "rollback", "redirect": {}}, ["redirect: missing."]),
        ({"act": "reweight", "redirect": "none"}, ["redirect: must say what reweight changes."]),
        ({"act": "reweight", "redirect": {**FREE, "forget": True}}, ["redirect: reweight changes"]),
        ({"act": "redirect", "to": "-1"}, ["to: belongs to rollback", "redirect: must say"]),
        ({"act": "trip"}, ["breaker: must say which one is tripped."]),
        ({"act": "pause", "breaker": "x"}, ["breaker: belongs to trip, not to pause."]),
        ({"act": "override"}, ["seed: must say", "seat: must say", "action: must say"]),
        ({"act": "veto", "seed": 0, "action": "bid 1"}, ["action: belongs", "seat: must say"]),
        (
            {"act": "veto", "seed": 0, "seat": "a", "reason": ""},
            ["reason: must say why. "],
        ),
        ({"act": "rollback", "redirect": "none", "to": "5"}, ["to: string should match"]),
        ({"act": "rollback", "redirect": "nothing"}, ["redirect.dict", "redirect.literal"]),
        ({"act": "pace", "pace": "fast"}, ["pace: input should be a valid number"]),
    ],
)
def test_what_does_not_go_together_is_refused(keys, lines):
    told = mistakes(**keys)
    assert len(told) == len(lines)
    for line, beginning in zip(told, lines, strict=True):
        assert line.startswith(beginning)


def test_a_request_comes_out_as_it_went_in():
    words = {"id": "x", "act": "override", "by": "a", "reason": "b", "seed": 0, "copy": 3,
             "seat": "bidder_0", "action": "bid 0.4"}  # fmt: skip
    request = parse_request(json.dumps(words).encode())
    assert json.loads(request.line) == words
    assert request.in_copy == 3


# --- words of the command line --------------------------------------------------------------------


def test_words_as_a_redirect():
    assert redirect_of("reweight", ["bidder.price_change=0"], [], False, False) == FREE
    assert redirect_of("rollback", [], ["none"], False, False) == "none"
    assert redirect_of("rollback", [], [], False, False) is None
    assert redirect_of(
        "redirect", ["market.reserve=.3", "kpi.bidder.price_change=0"], [], True, True
    ) == {**FREE, "market": {"reserve": 0.3}, "fresh_stream": True, "forget": True}
    assert redirect_of("rollback", [], ["market.reserve=.3"], True, False) == {
        "market": {"reserve": 0.3}, "fresh_stream": True,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("pause", ["a=1"], [], False, False), "ACT: pause takes no KEY=VALUE, got 'a=1'."),
        (("rollback", ["kpi.a.b=1"], [], False, False), "as --redirect kpi.a.b=1"),
        (("pause", [], ["none"], False, False), "--redirect: belongs to rollback, not to pause"),
        (("rollback", [], ["none", "kpi.a.b=1"], False, False), "none goes with no other change"),
        (("rollback", [], ["none"], True, False), "none goes with no other change"),
        (("redirect", ["reserve=.3"], [], False, False), "reserve: unknown key."),
        (("redirect", ["market.reserve"], [], False, False), "must be key=value"),
        (("reweight", ["bidder.price_change=[1"], [], False, False), "price_change"),
    ],
)
def test_words_that_are_no_redirect(arguments, line):
    with pytest.raises(ConfigError) as error:
        redirect_of(*arguments)
    assert line in " ".join(error.value.mistakes)


def test_words_as_a_pace():
    assert pace_of("pace", "max") is None
    assert pace_of("pace", "2.5") == 2.5
    assert pace_of("step", None) is None
    wrong = (("pace", "0"), ("pace", "-1"), ("pace", "fast"), ("pace", None), ("step", "2"))
    for act, word in wrong:
        with pytest.raises(ConfigError, match="--pace"):
            pace_of(act, word)
