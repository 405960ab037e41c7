"""A seat in the browser: what its page is told, what it can do, and what is refused."""

from __future__ import annotations

import csv
import json

import pytest
from support.attend.browser import IS_HERE, WHY_NOT, Browser
from support.attend.seats import seat_room
from support.sessions.small_arms import sit_down

from tacit.training.attend.guard import HEADERS
from tacit.training.attend.seat.app import FILES
from tacit.training.play.closing_text import score_lines, transcript_lines
from tacit.training.play.score import score_of
from tacit.training.play.table import write_table

PATHS = (*FILES, "/api/seat", "/api/closing", "/nowhere")


@pytest.fixture
def session():
    return sit_down("tender", "buyer_0", rounds=3, session="lab")


@pytest.fixture
def kept():
    return []


@pytest.fixture
def page(session, kept):
    with seat_room(session, lambda: kept.append(len(session.played))) as page:
        yield page


def ask(page, body=None, path="/api/seat", **headers):
    sent = None if body is None else json.dumps(body)
    status, _, answer = page(path, sent, **headers)
    return status, json.loads(answer)


def play(page, choice=1):
    """Decide to the end; every state on the way."""
    states = [ask(page)[1]]
    while states[-1]["view"] is not None:
        wanted = {"decision": states[-1]["decision"], "choice": choice}
        states.append(ask(page, wanted)[1])
    return states


# --- playing -------------------------------------------------------------------------------------


def test_it_is_the_session_that_the_terminal_plays(page, session, kept):
    states = play(page)
    other = sit_down("tender", "buyer_0", rounds=3, session="lab")
    for told in states[:-1]:
        view = other.view
        assert told["view"]["choices"] == [choice.text for choice in view.choices]
        assert [(s["name"], s["value"]) for s in told["view"]["seen"]] == [
            (part.name, part.value) for part in view.seen
        ]
        assert told["total"] == other.total
        other.act(view.choices[0].action)
    assert (states[-1]["finished"], states[-1]["total"]) == (3, other.total)
    assert kept == [1, 2, 3]
    status, closing = ask(page, path="/api/closing")
    assert status == 200
    assert closing["transcript"] == list(transcript_lines(other))
    assert closing["score"] == list(score_lines(other, score_of(other)))


def test_the_page_is_told_what_the_seat_sees_and_nothing_more(page, session):
    """No truths, rewards of others or learned policies are sent before the end."""
    told = ask(page)[1]
    assert set(told) == {"brief", "decision", "view", "told", "finished", "total"}
    assert set(told["view"]) == {"round", "phase", "seen", "parts", "choices"}
    assert [part["name"] for part in told["view"]["seen"]] == [s.name for s in session.view.seen]
    status, refused = ask(page, path="/api/closing")
    assert (status, refused["detail"]) == (409, "closing: the session is not over.")
    supplier = json.dumps([told["view"], told["told"]])
    assert "lead_0" not in supplier
    assert "learned" not in json.dumps({**told, "brief": {}})


def test_a_decision_that_is_sent_again_is_not_made_twice(page, session):
    wanted = {"decision": 0, "choice": 2}
    first, again = ask(page, wanted), ask(page, wanted)
    assert first == again
    assert (session.total, first[1]["decision"]) == (first[1]["total"], 1)


WRONG = {
    "not due": ({"decision": 5, "choice": 1}, 409),
    "no such choice": ({"decision": 0, "choice": 10_000}, 409),
    "choice 0": ({"decision": 0, "choice": 0}, 400),
    "no choice": ({"decision": 0}, 400),
    "a word": ({"decision": 0, "choice": "accept"}, 400),
    "an unknown key": ({"decision": 0, "choice": 1, "seat": "supplier_0"}, 400),
    "no table": ([1], 400),
    "too large": ({"decision": 0, "choice": 1, "why": "x" * 70_000}, 413),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_decision_does_nothing(kind, page, session):
    body, wanted = WRONG[kind]
    assert ask(page, body)[0] == wanted
    assert not session.has_decisions


def test_ending_it_keeps_what_was_played(page, session):
    ask(page, {"decision": 0, "choice": 1})
    assert ask(page, {"stop": True})[1]["view"] is None
    assert ask(page, path="/api/closing")[1]["score"]
    assert ask(page, {"decision": 1, "choice": 1})[0] == 409
    assert len(session.played) == 1


# --- who may ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PATHS)
def test_another_host_or_origin_is_refused_and_every_answer_has_the_headers(path, page):
    assert page(path, Host="evil.example")[0] == 421
    assert page(path, Origin="http://evil.example")[0] == 403
    for name, value in HEADERS.items():
        assert page(path)[1][name] == value
    if path.startswith("/api/"):
        for token in (None, "", "x", "0" * 32):
            assert page(path, X_Tacit_Token=token)[0] == 401


@pytest.mark.parametrize("path", FILES)
def test_the_files_need_nothing_from_elsewhere(path, page):
    text = page(path)[2].decode()
    assert "https://" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http://") == 0
    for sink in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style="):
        assert sink not in text


def test_hostile_names_arrive_as_text(session, monkeypatch):
    object.__setattr__(session, "run", "<img src=x>\u202e")
    with seat_room(session) as page:
        assert ask(page)[1]["brief"]["run"] == "<img src=x>\\u202e"


# --- in a browser --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not IS_HERE, reason=WHY_NOT)
def test_a_person_plays_ten_rounds_as_a_buyer_by_keyboard(tmp_path):
    session = sit_down("tender", "buyer_0", rounds=10, session="lab")
    browser = Browser(tmp_path / "profile")
    try:
        with seat_room(session) as page:
            browser.open(page.url)
            for n in range(10):
                browser.wait_until(
                    "document.querySelectorAll('#choices button').length > 1 &&"
                    f" document.getElementById('finished').textContent.startsWith('in {n} of')"
                )
                browser.type("2")
            browser.wait_until("document.getElementById('transcript').textContent")
            text = browser.text("transcript")
            assert text == "\n".join(transcript_lines(session))
            assert browser.text("score") == "".join(score_lines(session, score_of(session)))
            assert browser.log("browser") == []
    finally:
        browser.close()
    assert len(session.played) == 10
    write_table(tmp_path / "table.csv", session)
    rows = list(csv.DictReader((tmp_path / "table.csv").read_text().splitlines()))
    own = [row for row in rows if row["is_person"] == "True"]
    assert len(own) == 10
    assert all(row["seat"] == "buyer_0" and row["seen"] and row["seconds"] for row in own)
