"""The page's server: who may ask, what is refused, and that it holds no power of its own."""

from __future__ import annotations

import asyncio
import json
import stat
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.attend.rooms import room_on

from tacit.envs.errors import ConfigError
from tacit.oversight import ledger as ledgers
from tacit.oversight.ledger import Ledger
from tacit.training.acts.control import RunControl
from tacit.training.acts.gate import Gate
from tacit.training.acts.protocol import MOST_BYTES
from tacit.training.acts.server import serving
from tacit.training.attend import events as stream
from tacit.training.attend import serve
from tacit.training.attend import watch as watching
from tacit.training.attend.app import FILES
from tacit.training.attend.serve import listen, opened
from tacit.training.attend.watch import Watch
from tacit.training.board.event_file import EventFile
from tacit.training.config.load import load

HOSTILE = "<img src=x onerror=alert(1)>\u202e</script>&amp;"
SHOWN = "<img src=x onerror=alert(1)>\\u202e</script>&amp;"
PATHS = ("/", "/room.css", "/room.js", "/api/facts", "/nowhere", "/api/act", "/api/look")


@pytest.mark.parametrize("token", [None, "", "x", "\u00fc", "0" * 32])
@pytest.mark.parametrize("path", ["/api/facts", "/api/events", "/api/act", "/api/look"])
def test_without_its_token_nothing_is_told_and_nothing_done(path, token, page, served):
    body = json.dumps({"id": "a", "act": "pause", "by": "x", "reason": "y"})
    sent = body if path in ("/api/act", "/api/look") else None
    token = token if token is None else token.encode().decode("latin-1")
    status, _, answer = page(path, sent, X_Tacit_Token=token)
    assert status == 401
    assert json.loads(answer)["detail"].startswith("token: ")
    assert served.latches == []


@pytest.mark.parametrize("path", PATHS)
def test_another_host_is_refused(path, page):
    for host in ("evil.example", f"evil.example:{page.port}", "127.0.0.1", "0.0.0.0"):
        assert page(path, Host=host)[0] == 421


@pytest.mark.parametrize("path", PATHS)
def test_another_origin_is_refused(path, page, served):
    foreign = (
        "http://evil.example",
        "null",
        f"https://{page.host}",
        f"http://localhost:{page.port}",
    )
    for origin in foreign:
        assert page(path, Origin=origin)[0] == 403
    body = json.dumps({"id": "a", "act": "pause", "by": "x", "reason": "y"})
    assert page("/api/act", body, Origin="http://evil.example")[0] == 403
    assert served.latches == []


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_carries_the_headers(path, page):
    for _, headers, _ in (page(path), page(path, X_Tacit_Token=None), page(path, Host="x")):
        policy = headers["Content-Security-Policy"]
        for part in ("default-src 'none'", "script-src 'self'", "style-src 'self'",
                     "connect-src 'self'", "img-src 'self' data:"):  # fmt: skip
            assert part in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", FILES)
def test_the_files_need_nothing_from_elsewhere(path, page):
    text = page(path)[2].decode()
    assert "https://" not in text
    assert text.replace("http://www.w3.org/2000/svg", "").count("http://") == 0
    for sink in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style="):
        assert sink not in text


def test_only_this_machine_is_listened_to():
    with listen(0) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"
        with pytest.raises(ConfigError, match=r"--port: \d+ cannot be used"):
            listen(listening.getsockname()[1])


# --- acts ----------------------------------------------------------------------------------------


def test_an_act_goes_to_the_socket_and_comes_back(page, run, served):
    status, told = page.act("pause", dry_run=True)
    assert (status, told["detail"]) == (
        200, "would hold 1 seeds after the round that each is playing",
    )  # fmt: skip
    assert served.latches == []
    assert page.act("pause", by="bob", reason="a look")[1]["detail"] == "held by: person"
    assert served.latches == ["person"]
    (entry,) = ledgers.read(run.ledger)
    assert (entry["what"], entry["by"], entry["reason"]) == ("pause", "bob", "a look")
    assert page.act("step", rounds=3)[1]["applied"]
    assert page.act("resume")[1]["detail"] == "held by nothing: it trains"
    assert page.act("ask")[1]["detail"] == "recorded"
    assert page.act("stop", reason="")[1]["detail"] == "every seed saves and ends"
    assert served.stopped_by == "alice"


def test_the_same_act_twice_is_done_once(page, run, served):
    assert page.act("ask", id="one")[1] == page.act("ask", id="one")[1]
    assert len(ledgers.read(run.ledger)) == 1


GOOD = {"id": "a", "act": "pause", "by": "x", "reason": "y"}
WRONG = {
    "not JSON": (b"pause", 400),
    "not UTF-8": (b'{"id": "\xff"}', 400),
    "nested": (b"[" * 60_000, 400),
    "an unknown key": (json.dumps({**GOOD, "sudo": True}), 400),
    "no reason": (json.dumps({**GOOD, "reason": ""}), 400),
    "no author": (json.dumps({**GOOD, "by": " "}), 400),
    "a line feed": (json.dumps({**GOOD, "reason": "a\nb"}), 400),
    "too large": (json.dumps({**GOOD, "reason": "y" * MOST_BYTES}), 413),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_not_a_whole_request_does_nothing(kind, page, run, served):
    body, wanted = WRONG[kind]
    status, _, answer = page("/api/act", body)
    assert status == wanted
    assert json.loads(answer)["applied"] is False
    assert served.latches == []
    assert not run.ledger.exists()


def test_a_body_without_an_end_is_refused_before_it_is_read(page, served):
    """In pieces and without a length: what is sent after the first 64 KiB is not waited for."""
    connection = page.connection()
    connection.putrequest("POST", "/api/act")
    for name, value in (("X-Tacit-Token", page.token), ("Content-Type", "application/json"),
                        ("Transfer-Encoding", "chunked")):  # fmt: skip
        connection.putheader(name, value)
    connection.endheaders()
    for _ in range(3):
        connection.send(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_a_form_could_send_is_refused(kind, page, served):
    """A browser sends these kinds to other origins without asking them first."""
    assert page("/api/act", json.dumps(GOOD), Content_Type=kind)[0] == 415
    assert served.latches == []


# --- events --------------------------------------------------------------------------------------


def test_names_and_reasons_arrive_as_text(page, run, served):
    with served.seed((HOSTILE, 0), Gate()):
        page.act("ask", by=HOSTILE, reason=HOSTILE)
        state = page.state_with(lambda state: state["acts"])
    assert f"{SHOWN}/s0" in state["seeds"]
    (act,) = state["acts"]
    assert (act["who"], act["what"], act["why"]) == (SHOWN, "ask", SHOWN)


@pytest.mark.slow
def test_a_change_is_told_within_300_ms(page, served):
    with page.events() as events:
        assert next(events)[0] == "curves"
        assert next(data for name, data in events if name == "state")["latches"] == []
        waits = []
        for name, latches in (("pause", ["person"]), ("resume", [])) * 3:
            began = time.monotonic()
            page.act(name)
            state = next(d for name, d in events if name == "state" and d["latches"] == latches)
            waits.append(time.monotonic() - began)
        assert sorted(waits)[2] < 0.3  # a machine that does much else may be late now and then
    assert state["detail"] == "held by nothing: it trains"
    assert state["states"] == {"base": "unvalidated objective"}


def test_curves_grow_with_what_is_read(page, served):
    for k, headline in enumerate((0.5, 0.5, 0.7)):
        served.headlines["base", 0] = headline
        served.seeds()["base", 0].rounds = 100 * (k + 1)
        page.state_with(lambda s, k=k: s["seeds"]["base/s0"]["round"] == 100 * (k + 1))
    with page.events() as events:
        assert next(events) == ("curves", {"base/s0": [[100, 0.5], [300, 0.7]]})


def test_curves_begin_with_what_was_read_before(page, run, served):
    with EventFile(run.seed("base", 0)) as events:
        for step in (10, 20):
            events.scalars(step, {"measure/market/clearing_price": step / 40, "other": 1.0})
    served.headlines["base", 1] = 0.75
    (run.seed("base", 1)).mkdir(parents=True)
    (run.seed("base", 1) / "events.out.tfevents.1.x.1").write_bytes(b"no events" * 9)
    with served.seed(("base", 1), Gate()):
        page.state_with(lambda state: "base/s1" in state["seeds"])
        with page.events() as events:
            assert next(events)[1]["base/s1"] == [[0, 0.75]]
    watch = Watch(run, load("ad_auction").arms)
    watch.look()
    assert watch.curves["base/s0"] == [(10, 0.25), (20, 0.5)]


def test_a_hundred_pages_hear_of_one_act(page, served):
    with ExitStack() as stack:
        streams = [stack.enter_context(page.events()) for _ in range(100)]
        for events in streams:
            assert next(events)[0] == "curves"
        page.act("pause")
        for events in streams:
            assert next(d for name, d in events if name == "state" and d["latches"])


@pytest.mark.slow
def test_pages_that_stop_reading_keep_nobody_waiting(run, experiment, served):
    """The system keeps little for them here, so that the server soon cannot send."""
    with room_on(run, experiment, send_buffer=4096) as page, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(page.deaf())
        for k in range(20):
            page.act("ask", reason="x" * 900)
            served.seeds()["base", 0].rounds = k
            time.sleep(0.02)
        assert page.act("pause")[1]["applied"]
        assert page.state_with(lambda state: state["latches"] == ["person"])


@pytest.mark.slow
def test_a_page_that_stops_reading_is_given_up(run, experiment, served, monkeypatch):
    """Its place is free for another one then."""
    monkeypatch.setattr(stream, "PATIENCE", 0.5)
    monkeypatch.setattr(stream, "MOST_PAGES", 1)
    for k in range(30):
        served.ledger.append("a note", by="x" * 200, reason=f"{k}" * 500)
    with room_on(run, experiment, send_buffer=4096) as page, page.deaf():
        deadline = time.monotonic() + 1
        while (status := page("/api/events", method="HEAD")[0]) != 503:
            assert time.monotonic() < deadline, status
        for k in range(100):
            served.seeds()["base", 0].rounds = k
            time.sleep(0.15)
            if page("/api/events", method="HEAD")[0] == 200:
                return
    raise AssertionError("it still has its place")


@pytest.mark.slow
def test_a_run_that_does_not_answer_is_told(run, experiment, served, monkeypatch):
    monkeypatch.setattr(stream, "BEAT", 0.1)
    with room_on(run, experiment) as page, page.events() as events:
        assert next(data for name, data in events if name == "state")["trains"]
        with served._lock:  # the run's thread waits for it
            silent = next(d for name, d in events if name == "beat" and d["silent"] > 0.3)
        assert silent
        assert next(d for name, d in events if name == "beat" and d["silent"] < 0.3)


def test_the_browser_is_sent_there_by_a_file_of_this_user(run, monkeypatch):
    """The words of its command, which every user can read, do not hold the token."""
    seen = []
    monkeypatch.setattr(serve.webbrowser, "open", seen.append)
    with opened("http://127.0.0.1:1/#secret"):
        (address,) = seen
        assert "secret" not in address
        path = Path(address.removeprefix("file://"))
        assert "http://127.0.0.1:1/#secret" in path.read_text()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


@pytest.mark.slow
def test_the_end_of_a_run_is_told_and_that_it_goes_on(run, experiment):
    """The page stays: a run that is resumed is followed again."""
    control = RunControl()
    with room_on(run, experiment) as page:
        assert not page.state_with(bool)["trains"]
        with page.events() as events:
            with control.training(Ledger(run.ledger)), serving(run, control):
                assert next(d for name, d in events if name == "state" and d["trains"])
            ended = next(d for name, d in events if name == "state" and not d["trains"])
    assert "nothing trains" in ended["detail"]


def test_a_run_that_cannot_be_read_is_told_and_followed_further(run, experiment, monkeypatch):
    """Whatever goes wrong while it is read, as of a ledger that somebody altered."""
    watch, told = Watch(run, experiment.arms), []

    def look():
        told.append(watch.state.get("detail"))
        if len(told) < 3:
            raise TypeError("'int' object is not iterable")
        raise asyncio.CancelledError

    monkeypatch.setattr(watch, "look", look)
    monkeypatch.setattr(watching, "EVERY", 0)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(watch.follow())
    mistake = "the page cannot read the run: TypeError: 'int' object is not iterable"
    assert told[1:] == [mistake, mistake]
    assert watch.version == 1  # the same mistake is told once
