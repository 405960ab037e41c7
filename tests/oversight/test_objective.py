"""Who stands behind an objective: three states, and all the ways in which one ends."""

from __future__ import annotations

import copy

import pytest

from tacit.envs import kpi as kpis
from tacit.envs.registry import make_market
from tacit.oversight import signatures
from tacit.oversight.card import build_card
from tacit.oversight.objective import (
    UNVALIDATED,
    changed_terms,
    objective_document,
    objective_state,
    state_lines,
    text_mistakes,
)
from tacit.oversight.signatures import SignatureCheck

MARKET = make_market("ad_auction")
TODAY = "2026-06-15"


def table(weight=-1.0):
    return kpis.resolve(MARKET, {"bidder": {"profit": 1.0, "price_change": weight}})


def document(**words):
    cards = {"calm": build_card(MARKET, table(), 48)}
    words = {"by": "alice", "reason": "why", "date": "2026-06-01"} | words
    return objective_document(cards, "test", **words)


def state(of=None, arm="calm", kpi=None, check=None, has_list=False):
    terms = kpis.canonical(kpi or table())
    return objective_state(of or document(), arm, terms, check, TODAY, has_list)


def checked(kind, text="is ..."):
    return SignatureCheck(kind, "SHA256:abc", text)


def test_named_and_signed():
    assert state().text == "named by alice, not signed"
    found = state(check=checked(signatures.LISTED))
    assert (found.text, found.is_signed) == ("signed by alice (key SHA256:abc)", True)


def test_the_owner_is_shown():
    assert state(document(owner="bob")).text == "named by alice (its owner: bob), not signed"
    signed = state(document(owner="alice"), check=checked(signatures.LISTED))
    assert signed.text == "signed by alice (key SHA256:abc) (its owner as well)"


@pytest.mark.parametrize("kind", ["other", "revoked", "altered", "foreign"])
def test_signatures_that_are_wrong(kind):
    found = state(check=checked(kind))
    assert found.text.startswith(f"{UNVALIDATED} (the signature of alice is ...")
    assert found.wrong
    assert not found.is_signed


def test_an_expired_key_ends_it_and_is_no_forgery():
    found = state(check=checked(signatures.EXPIRED))
    assert found.text.startswith(UNVALIDATED)
    assert found.wrong == ""


@pytest.mark.parametrize("kind", [signatures.UNLISTED, signatures.UNCHECKED])
def test_an_unknown_key_names_and_does_not_sign(kind):
    found = state(check=checked(kind))
    assert found.text == "named by alice; the signature is ..."
    assert (found.is_signed, found.wrong) == (False, "")
    is_wrong = bool(state(check=checked(kind), has_list=True).wrong)
    assert is_wrong == (kind == signatures.UNLISTED)


def test_a_weight_changed_after_signing_is_named():
    found = state(kpi=table(-0.5), check=checked(signatures.LISTED))
    assert not found.is_signed
    for part in ("alice", "bidder_0.price_change.weight -1.0, now -0.5"):
        assert part in found.text
        assert part in found.wrong


def test_a_card_that_does_not_fit_its_own_hash():
    forged = copy.deepcopy(document())
    forged["arms"]["calm"]["seats"]["bidder_0"]["terms"]["profit"]["weight"] = 1.5
    assert "does not fit its own KPI hash" in state(forged).wrong


def test_it_ends_on_its_last_day():
    assert state(document(expires=TODAY)).text == f"named by alice, not signed, until {TODAY}"
    assert state(document(expires="2026-06-14")).text == (
        f"{UNVALIDATED} (the word of alice ended on 2026-06-14)"
    )


@pytest.mark.parametrize(
    "change",
    [{"form": "x"}, {"arms": None}, {"arms": {}}, {"arms": {"calm": 1}}, {"by": "a\nb"},
     {"by": "alice (key SHA256:abc)"}, {"by": "<b>alice</b>"}, {"by": "\x1b[2J"}, {"by": None}],
)  # fmt: skip
def test_documents_that_cannot_be_read_count_for_nothing(change):
    found = state(document() | change)
    assert found.text.startswith(UNVALIDATED)
    assert found.wrong
    assert found.text.isprintable()


@pytest.mark.parametrize(
    ("words", "options"),
    [
        (("", "why", "", ""), ["--by"]),
        (("a\nb", "why", "", ""), ["--by"]),
        (("<script>", "why", "", ""), ["--by"]),
        (("-h", "why", "", ""), ["--by"]),
        (("../../x", "why", "", ""), ["--by"]),
        (("alice", "", "", ""), ["--reason"]),
        (("alice", "a\nb", "", ""), ["--reason"]),
        (("alice", "\x1b[2J", "", ""), ["--reason"]),
        (("alice", "x" * 1001, "", ""), ["--reason"]),
        (("alice", "why", "bob,", ""), ["--owner"]),
        (("alice", "why", "", "tomorrow"), ["--expires"]),
        (("alice", "why", "", "2026-02-30"), ["--expires"]),
        (("alice", "why", "", "2026-06-14"), ["--expires"]),
        (("", "", "\n", "x"), ["--by", "--owner", "--reason", "--expires"]),
        (("José O'Neil", "<b>because</b>", "bob@example.org", TODAY), []),
    ],
)
def test_words_that_are_refused(words, options):
    mistakes = text_mistakes(*words, TODAY)
    assert [line.partition(":")[0] for line in mistakes] == options
    assert all(line.isprintable() for line in mistakes)


def test_changed_terms_are_named_and_cut():
    one, two = kpis.canonical(table()), kpis.canonical(table(-2.0))
    assert changed_terms(one, two) == [
        f"bidder_{k}.price_change.weight -1.0, now -2.0" for k in (0, 1)
    ]
    assert changed_terms({}, one)[-1].startswith("and ")


def test_lines_of_many_arms():
    assert state_lines({"a": "x", "b": "x"}) == ["X."]
    assert state_lines({"a": "x", "b": "y", "c": "x"}) == ["a, c: x.", "b: y."]


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6])
def test_three_terms_that_differ_are_told_and_the_rest_counted(count):
    names = "abcdef"[:count]
    one = {"bidder_0": {"same": {"weight": 1.0}, **{n: {"weight": 1.0} for n in names}}}
    two = {"bidder_0": {"same": {"weight": 1.0}, **{n: {"weight": 0.5} for n in names}}}
    lines = changed_terms(one, two)
    assert lines[:3] == [f"bidder_0.{n}.weight 1.0, now 0.5" for n in names[:3]]
    assert lines[3:] == ([f"and {count - 3} more"] if count > 3 else [])


def test_a_term_that_one_of_two_lacks_is_missing_there():
    assert changed_terms({"a": {"x": 1}}, {"b": "y"}) == [
        "a.x 1, now missing",
        "b missing, now 'y'",
    ]
