"""The page in a headless Chromium: `tacit attend` as a process, on a run that really trains."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from tempfile import TemporaryDirectory, gettempdir

import pytest
from support.attend.browser import IS_HERE, WHY_NOT, Browser

from tacit.oversight import ledger as ledgers
from tacit.training.acts.acts import ACT
from tacit.training.acts.client import send
from tacit.training.acts.control import PERSON, RunControl
from tacit.training.acts.protocol import ActRequest
from tacit.training.acts.server import serving
from tacit.training.config.load import load
from tacit.training.runs.progress import NoProgress
from tacit.training.runs.runner import Interrupted, train_experiment
from tacit.training.storage.run_folder import RunFolder

pytestmark = pytest.mark.skipif(not IS_HERE, reason=WHY_NOT)
LONG = [
    "train.rounds=2000000000", "train.measure_last=1000000", "train.evaluate_every=500000",
    "seeds=2",
]  # fmt: skip
ATTEND = "from tacit.training.cli import main; main()"


class Training:
    """A run that trains in a thread until it is stopped."""

    def __init__(self, results):
        self.run = RunFolder(results / "mine")
        self.control = RunControl(lambda control: serving(self.run, control))
        self._thread = threading.Thread(target=self._train)
        self._thread.start()

    def _train(self):
        with suppress(Interrupted):
            train_experiment(load("ad_auction", LONG), self.run, NoProgress(), control=self.control)

    def wait_until_under_way(self):
        deadline = time.monotonic() + 60
        while len([g for g in self.control.seeds().values() if g.rounds]) < 2:
            assert time.monotonic() < deadline
            assert self._thread.is_alive()
            time.sleep(0.02)

    def stop(self):
        self.control.stop("the test")
        self._thread.join(60)
        assert not self._thread.is_alive()

    def ask(self, act, **options):
        own = {"id": f"{act}{time.monotonic_ns()}", "by": "bob", "reason": "why", **options}
        return send(self.run, ActRequest(act=act, **own))

    def acts(self):
        return [e for e in ledgers.read(self.run.ledger) if e["act"] == ACT]

    @property
    def rounds(self):
        return sum(gate.rounds for gate in self.control.seeds().values())


@contextmanager
def attending(training):
    """`tacit attend` in a process of its own; its address."""
    words = ["attend", str(training.run.path), "--no-open"]
    with subprocess.Popen(
        [sys.executable, "-c", ATTEND, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            yield line.split()[-1], process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                assert process.wait(20) == 130
                assert process.stderr.read() == ""


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
    assert "base/s0" in browser.text("seeds")
    assert "bidder_0 is paid 1 x its own profit." in browser.text("kpis")
    assert browser.text("states") == "base: unvalidated objective"
    assert "training started" in browser.text("ledger")
    browser.wait_until("document.querySelectorAll('#chart polyline').length === 2")
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
    held = training.rounds
    browser.type("n")
    browser.wait_until("document.getElementById('form').open")
    browser.type("a look\ue007")
    browser.wait_until("document.getElementById('answer').textContent.startsWith('step: done')")
    assert training.rounds == held + 2
    browser.type("r")
    browser.wait_until("document.getElementById('form').open")
    browser.type("seen enough\ue007")
    browser.wait_until("document.getElementById('state').className === 'trains'")
    assert training.control.latches == []
    deadline = time.monotonic() + 10
    while training.rounds <= held + 2:
        assert time.monotonic() < deadline
    assert [e["what"] for e in training.acts()[before:]] == ["pause", "step", "resume"]


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_page_does_not_scroll_sideways(scheme, browser):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.devtools("Emulation.setEmulatedMedia", features=features)
    browser.devtools(
        "Emulation.setDeviceMetricsOverride", width=380, height=800, deviceScaleFactor=1,
        mobile=False,
    )  # fmt: skip
    try:
        browser.wait_until("document.querySelectorAll('#chart polyline').length === 2")
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
