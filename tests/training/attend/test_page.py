"""The page in a headless Chromium: `tacit attend` as a process, on a run that really trains."""

from __future__ import annotations

import json
import signal
import time
from tempfile import TemporaryDirectory, gettempdir

import pytest
from support.attend.browser import IS_HERE, WHY_NOT, Browser
from support.attend.under_way import Training, attending

from tacit.training.acts.control import PERSON

# A browser and a run that trains are whole processes: what the page is told is tested without them.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not IS_HERE, reason=WHY_NOT)]


@pytest.fixture(scope="module")
def folder():
    with TemporaryDirectory(dir=gettempdir()) as short, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", short)
        yield


@pytest.fixture(scope="module")
def training(folder, tmp_path_factory):
    own = Training(tmp_path_factory.mktemp("results"))
    own.wait_until_under_way()
    try:
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="module")
def command(training):
    with attending(training) as both:
        yield both


@pytest.fixture(scope="module")
def url(command):
    return command[0]


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(window, url, training):
    """The page, loaded anew and connected; nothing holds the run."""
    if PERSON in training.control.latches:
        training.control.release(PERSON)
    window.log("browser")
    window.log("performance")
    window.open(url)
    window.wait_until("document.getElementById('state').className === 'trains'")
    return window


ROWS = "document.querySelectorAll('#seeds tr').length"


def test_it_can_be_used_within_a_second(browser, url):
    """The best of three: a machine that does much else may be late now and then."""
    times = []
    for _ in range(3):
        browser.open(url)
        browser.wait_until("document.getElementById('state').className === 'trains'")
        times.append(browser.run("return performance.getEntriesByName('usable')[0].startTime"))
    assert 0 < min(times) < 1000


def test_it_shows_the_run(browser):
    browser.wait_until(f"{ROWS} === 2")
    assert browser.text("run") == "mine"
    assert browser.text("state") == "Training; nothing holds it."
    assert "redirected/s0" in browser.text("seeds")
    assert "bidder_0 is paid 1 x its own profit, less 1 x its own price_change." in browser.text(
        "kpis"
    )
    assert browser.text("states") == "redirected: unvalidated objective"
    assert "training started" in browser.text("ledger")
    browser.wait_until("document.querySelectorAll('#chart .curve:not(.left)').length === 2")
    marks = "return [...document.querySelectorAll('#chart text')].map((t) => t.textContent)"
    assert {"competitive 0.95", "joint profit 0.05"} <= set(browser.run(marks))
    browser.wait_until("document.getElementById('preview-stop').textContent !== '...'")
    assert browser.text("preview-stop") == "would have 2 seeds save and end"
    assert "#" not in browser.run("return location.href")  # nor in the browser's history


def test_pause_and_resume_by_keyboard(browser, training):
    before = len(training.acts())
    browser.type("p")
    browser.wait_until("document.getElementById('preview').textContent.startsWith('would hold')")
    assert browser.run("return document.activeElement.id") == "reason"
    browser.type("prices are rising\ue007")
    browser.wait_until("document.getElementById('state').className === 'held'")
    assert browser.text("state") == "Held by: person."
    assert training.control.latches == [PERSON]
    entry = training.acts()[before]
    assert (entry["what"], entry["reason"]) == ("pause", "prices are rising")
    browser.wait_until("!document.getElementById('form').open")
    held = training.rounds
    browser.type("n")
    browser.wait_until("document.getElementById('form').open")
    browser.type("a look\ue007")
    browser.wait_until("document.getElementById('answer').textContent.startsWith('step: done')")
    assert training.rounds == held + 2
    browser.wait_until("!document.getElementById('form').open")
    browser.type("r")
    browser.wait_until("document.getElementById('form').open")
    browser.type("seen enough\ue007")
    browser.wait_until("document.getElementById('state').className === 'trains'")
    assert training.control.latches == []
    deadline = time.monotonic() + 10
    while training.rounds <= held + 2:
        assert time.monotonic() < deadline
    assert [e["what"] for e in training.acts()[before:]] == ["pause", "step", "resume"]


def test_resume_releases_a_breaker_too_and_asks_which_where_two_hold(browser, training):
    gate = training.control.seeds()["redirected", 0]
    gate.tell(breaker="one_sided")  # as if it held the seed: it will refuse to be released
    browser.wait_until("document.getElementById('state').textContent === 'Held by: breaker.'")
    browser.type("r")
    browser.wait_until(
        "document.getElementById('preview').textContent === 'would let 1 seeds go on'"
    )
    assert browser.run("return document.getElementById('latch-row').hidden")
    browser.type("looked\ue007")
    browser.wait_until(
        "document.getElementById('refusal').textContent.includes('no breaker holds')"
    )
    browser.type("\ue00c")
    training.control.hold(PERSON)
    assert training.control.wait_until_held(10)
    gate.tell(breaker="one_sided")
    browser.wait_until(
        "document.getElementById('state').textContent === 'Held by: person, breaker.'"
    )
    browser.type("r")
    browser.wait_until(
        "document.getElementById('preview').textContent === 'would let 2 seeds go on'"
    )
    assert not browser.run("return document.getElementById('latch-row').hidden")
    browser.run(
        "const latch = document.getElementById('latch'); latch.value = 'breaker';"
        "latch.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    browser.wait_until(
        "document.getElementById('preview').textContent === 'would let 1 seeds go on'"
    )
    browser.type("\ue00c")
    browser.wait_until("!document.getElementById('form').open")
    gate.tell(breaker="")


def test_keys_do_nothing_while_one_types_and_escape_does_nothing(browser, training):
    before = len(training.acts())
    browser.type("a")
    browser.wait_until("document.getElementById('form').open")
    browser.type("spran")
    assert browser.run("return document.getElementById('reason').value") == "spran"
    browser.type("\ue00c")
    browser.wait_until("!document.getElementById('form').open")
    assert len(training.acts()) == before


def test_what_is_refused_is_said_in_the_form(browser, training):
    browser.type("p")
    browser.wait_until("document.getElementById('form').open")
    training.ask("pause")
    browser.type("me too\ue007")
    browser.wait_until("document.getElementById('refusal').textContent")
    assert browser.text("refusal") == "pause: the run is paused already."


def test_hostile_reasons_are_text(browser, training):
    hostile = "<img src=x onerror=document.title='owned'><script>1</script>"
    training.ask("ask", by="<b>eve</b>", reason=hostile)
    browser.wait_until("document.getElementById('ledger').textContent.includes('onerror')")
    made = "document.querySelectorAll('#ledger img, #ledger script, #ledger b').length"
    assert browser.run(f"return {made}") == 0
    assert browser.run("return document.title") == "mine: tacit attend"


# --- sections, and acts that change what is learned -----------------------------------------------


@pytest.fixture
def held(browser, training):
    """The run is paused, and the page shows both seeds as they were saved then, in branch 1."""
    deadline = time.monotonic() + 60
    while any(gate.facts.get("branch", 0) < 1 for gate in training.control.seeds().values()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    told = training.ask("pause")
    rounds = told.round["redirected/s0"]
    browser.wait_until(
        "document.getElementById('earnings-when').textContent.includes('redirected/s0')"
        " && document.querySelectorAll('#breaker-rows tr').length === 2"
        " && document.getElementById('time-line-lanes').dataset.round === arguments[0]",
        str(rounds),
    )
    return browser


def cells(browser, place):
    script = (
        "return [...document.querySelectorAll(arguments[0])]"
        ".map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return browser.run(script, place)


def test_breakers_earnings_and_the_branch_that_was_left(held, training):
    branch = str(training.control.seeds()["redirected", 0].facts["branch"])
    rows = {row[0]: row for row in cells(held, "#breaker-rows tr")}
    assert sorted(rows) == ["redirected/s0", "redirected/s1"]
    own = rows["redirected/s0"]
    assert own[1:3] + own[4:5] + own[6:9] == [
        "one_sided", "winner_share", "..0.75", own[6], "1", branch,
    ]  # fmt: skip
    assert float(own[3]) + float(own[5]) == pytest.approx(0.75, abs=1e-3)
    assert [row[0] for row in cells(held, "#earning-rows tr")] == ["bidder_0", "bidder_1"]
    assert "bidder.price_change 0 (configured: -1)" in held.text("earnings-weights")
    assert "Branch 0, left at round " in held.text("left-rows")
    assert len(cells(held, "#time-line-lanes .tl-trip")) == 1


def test_going_back_from_the_time_line_by_keyboard(held, training):
    gate = training.control.seeds()["redirected", 0]
    before, acts = gate.facts["branch"], len(training.acts())
    held.run("document.querySelector('.tl-kept[tabindex=\"0\"]').focus()")
    held.type("\ue012\ue012\ue007")  # two kept states to the left, Enter
    held.wait_until("document.getElementById('form').open")
    to = held.run("return document.getElementById('to').value")
    assert int(to[1:]) in gate.facts["kept"]
    held.run("document.getElementById('fresh').click()")
    held.wait_until(
        "document.getElementById('preview').textContent.includes(arguments[0])",
        f"back to round {int(to[1:]):,}, branch {before + 1}; redirect: fresh_stream",
    )
    assert gate.facts["branch"] == before  # a dry run
    held.type("see other draws\ue007")
    held.wait_until("!document.getElementById('form').open")
    entry = training.acts()[acts]
    assert (entry["what"], entry["reason"]) == ("rollback", "see other draws")
    assert gate.facts["branch"] == before + 1
    held.wait_until(
        "document.querySelectorAll('#left-rows li').length === arguments[0]", before + 1
    )
    held.wait_until(
        "[...document.querySelectorAll('#seeds tr')]"
        ".some((row) => row.children[3].textContent === arguments[0])",
        str(before + 1),
    )
    row = next(row for row in cells(held, "#seeds tr") if row[0] == "redirected/s0")
    assert row[1:4] == [f"{int(to[1:]):,}", "not read yet", str(before + 1)]


def test_a_breaker_that_is_tripped_by_hand_a_second_time_is_refused_in_the_form(held, training):
    """Its redirect is in force already."""
    gate = training.control.seeds()["redirected", 0]
    before, acts = gate.facts["branch"], len(training.acts())
    assert not held.run("return document.getElementById('trip').hidden")
    held.type("t")
    held.wait_until("document.getElementById('form').open")
    assert held.run("return document.getElementById('breaker').value") == "one_sided"
    held.wait_until("document.getElementById('preview').textContent")
    assert held.text("preview").startswith("redirect: changes nothing.")
    held.run("document.getElementById('cancel').click()")
    held.wait_until("!document.getElementById('form').open")
    assert gate.facts["branch"] == before
    assert len(training.acts()) == acts


@pytest.mark.slow
def test_what_lint_says_of_other_weights_stands_in_the_form(held, training):
    acts = len(training.acts())
    held.type("w")
    held.wait_until(
        "document.getElementById('preview').textContent.startsWith('redirect: must say')"
    )
    held.run(
        "const own = document.getElementById('weight-bidder-price_change');"
        "own.value = '-1'; own.dispatchEvent(new Event('input', { bubbles: true }))"
    )
    held.wait_until("document.getElementById('preview').textContent.startsWith('would')")
    held.wait_until("document.querySelectorAll('#preview-lines li').length > 0")
    assert "price_change 0.0 -> -1" in held.text("preview")
    held.type("\ue00c")
    assert len(training.acts()) == acts


def test_an_action_of_the_next_round_is_overridden(held, training):
    acts = len(training.acts())
    held.type("o")
    held.wait_until("document.getElementById('form').open")
    held.type("bid 0.4")
    held.wait_until(
        "document.getElementById('preview').textContent.includes('bidder_0 does bid 0.4')"
    )
    assert len(held.run("return document.getElementById('preview-lines').textContent")) > 0
    held.run("document.getElementById('reason').focus()")
    held.type("what then?\ue007")
    held.wait_until("!document.getElementById('form').open")
    entry = training.acts()[acts]
    assert (entry["what"], entry["reason"]) == ("override", "what then?")
    (change,) = entry["changes"]
    assert (change["seat_name"], change["did"]) == ("bidder_0", {"bid": 0.4})
    held.wait_until("document.getElementById('ledger').textContent.includes('instead of bid')")


def test_an_act_for_a_branch_that_was_left_is_refused(held, training):
    told = training.ask("redirect", arm="redirected", seed=0, branch=0, redirect={"forget": True})
    assert not told.applied
    assert "is on branch" in told.detail
    assert "not on 0; nothing was changed" in told.detail


@pytest.mark.slow
def test_deals_why_and_the_verdict_so_far(held):
    held.run("document.getElementById('deals-ask').focus()")
    held.type("\ue007")
    held.wait_until("document.querySelectorAll('#deal-rows li').length > 0", seconds=90)
    assert "sold to bidder_" in held.text("deal-rows")
    held.run("document.querySelector('#deal-rows button').click()")
    held.wait_until(
        "document.querySelector('#deal-rows pre').textContent.includes('What happened:')",
        seconds=90,
    )
    held.run("document.getElementById('verdict-ask').click()")
    held.wait_until("document.querySelectorAll('.verdict').length === 2", seconds=90)
    assert "collusion: undecided" in held.text("verdict-words")
    assert "Arm redirected, so far, of round " in held.text("verdict-when")


# --- how it looks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_does_not_scroll_sideways(scheme, browser):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.devtools("Emulation.setEmulatedMedia", features=features)
    browser.devtools(
        "Emulation.setDeviceMetricsOverride", width=380, height=800, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    try:
        browser.wait_until("document.querySelectorAll('#chart .curve:not(.left)').length === 2")
        fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        assert browser.run("return innerWidth") == 380
        assert browser.run(f"return {fits}")
        browser.type("p")
        browser.wait_until("document.getElementById('form').open")
        assert browser.run(f"return {fits}")
        ground = browser.run("return getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(21, 23, 26)") == (scheme == "dark")
    finally:
        browser.devtools("Emulation.clearDeviceMetricsOverride")
        browser.devtools("Emulation.setEmulatedMedia", features=[])


def test_everything_has_a_name_and_the_focus_is_seen(browser):
    nodes = browser.devtools("Accessibility.getFullAXTree")["nodes"]
    asked = [n for n in nodes if n.get("role", {}).get("value") in ("button", "textbox", "table")]
    assert len(asked) >= 7
    assert [n for n in asked if n["role"]["value"] == "button" and not n["name"]["value"]] == []
    unlabelled = "[...document.querySelectorAll('input')].filter((i) => !i.labels.length).length"
    assert browser.run(f"return {unlabelled}") == 0
    for name in ("state", "preview", "answer"):
        live = browser.run("return document.getElementById(arguments[0]).ariaLive", name)
        assert live in ("polite", "assertive")
    browser.type("\ue004")
    outline = "return getComputedStyle(document.activeElement).outlineStyle"
    assert browser.run("return document.activeElement.id") == "pause"
    assert browser.run(outline) == "solid"


def test_nothing_leaves_the_machine_and_nothing_is_logged(browser, url):
    time.sleep(0.5)
    sent = [json.loads(entry["message"])["message"] for entry in browser.log("performance")]
    asked = [m["params"]["request"]["url"] for m in sent
             if m["method"] == "Network.requestWillBeSent"]  # fmt: skip
    home = url.partition("#")[0]
    others = [a for a in asked if not a.startswith((home, "data:", "about:"))]
    assert any(a.startswith(home) for a in asked)
    assert others == []
    assert browser.log("browser") == []


@pytest.mark.slow
def test_a_lost_connection_is_said_and_made_again(browser, training, command):
    """The command's process is halted, so that the page hears nothing."""
    hidden = "document.getElementById('link').hidden"
    _, process = command
    process.send_signal(signal.SIGSTOP)
    try:
        browser.wait_until(f"!{hidden}")
        assert "Training goes on without it." in browser.text("link")
    finally:
        process.send_signal(signal.SIGCONT)
    browser.wait_until(hidden)
    training.ask("pause")
    browser.wait_until("document.getElementById('state').className === 'held'")


@pytest.mark.slow
def test_a_page_that_is_killed_changes_nothing_and_another_connects(browser, training):
    with attending(training) as (_, process):
        process.kill()
        process.wait(20)
    before = training.rounds
    deadline = time.monotonic() + 10
    while training.rounds == before:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert training.ask("status").detail == "held by nothing: it trains"


def test_stop_is_one_key_and_the_page_says_that_the_run_has_ended(browser, training):
    """The last test of this module: afterwards nothing trains."""
    browser.type("s")
    browser.wait_until("document.getElementById('state').textContent.includes('has ended')")
    assert training.control.is_stopped
    assert training.acts()[-1]["what"] == "stop"
    # (the run writes this act when its seeds have saved, a moment after nobody answers any more)
    browser.wait_until("document.getElementById('state').textContent.includes('interrupted')")
