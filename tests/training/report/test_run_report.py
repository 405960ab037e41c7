"""The report of a run: what is in it, what is not, and that it needs nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from support.terminal import Terminal, mistake_lines
from support.training_fixtures import arm, small

from tacit.oversight import ledger as ledgers
from tacit.training.record.deals import in_words, worst
from tacit.training.record.selection import plan_deals, produce
from tacit.training.report import collect, contents, html_page
from tacit.training.storage.load_run import load_run

HOSTILE = "<script>alert(1)</script>\x1b]0;x\x07"


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    small(folder, as_arm="profit")
    small(folder, "kpi=calm", as_arm="calm")
    return folder


@pytest.fixture(scope="module")
def run(results):
    return load_run("ad_auction", results)


@pytest.fixture(scope="module")
def collected(run):
    steps = []
    found = collect(run, ["calm: unvalidated objective"], lambda *step: steps.append(step))
    assert steps[-1] == ("done", 4, 4)
    return found


class Page(HTMLParser):
    """Tags with their attributes, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def test_a_report_holds_all_its_parts(collected):
    page = Page(html_page(collected))
    headings = re.findall(r"<h2>(.*?)</h2>", html_page(collected))
    assert headings == [
        "What was asked", "What came out", "Words and their evidence", "Lint of the KPIs",
        "The worst deals", "Incentive cards", "Drills", "Ledger", "What was not examined",
    ]  # fmt: skip
    assert collected.head in page.text
    assert "calm: unvalidated objective" in page.text
    assert "bidder_0 is paid 1 x its own profit" in page.text
    for cells in collected.arms:
        assert all(text in page.text for text in cells.values())
    for line in [*collected.verdicts, *collected.not_examined, *collected.notes]:
        assert line.strip() in page.text


def test_a_report_needs_nothing_else(collected):
    """No script, no style sheet, no picture that is not in the file, no link out."""
    text = html_page(collected)
    page = Page(text)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object", "a"}
    sources = [attrs["src"] for _, attrs in page.tags if "src" in attrs]
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert "http://" not in text
    assert "https://" not in text
    assert "default-src 'none'" in text


def test_worst_deals_are_those_of_the_table(run, collected):
    """Of both arms together, the worst first; the first ones are explained."""
    harms = {}
    for own in run.arms.values():
        deals = worst(produce(plan_deals(run.folder, own, range(2))), 400)
        for row in range(400):
            harms[own.name, "; ".join(in_words(own, deals, row))] = deals["harm"].at(row)
    expected = [f"{x:.3g}" for x in sorted(harms.values(), reverse=True)[:10]]
    assert [deal.harm for deal in collected.deals] == expected
    assert len({(deal.name.split()[0], deal.what) for deal in collected.deals}) == 10
    assert [bool(deal.why) for deal in collected.deals] == [True] * 3 + [False] * 7
    name = collected.deals[0].name.split()[1]
    assert collected.deals[0].why[0].startswith(name)


def test_the_ledger_is_told_line_by_line(run, collected):
    entries = ledgers.read(run.folder.ledger)
    assert [act[2] for act in collected.acts] == [entry["act"] for entry in entries]
    assert collected.head == entries[-1]["hash"]


def test_cards_hold_what_lint_finds_whether_or_not_it_was_asked_before(run, collected):
    assert collected.cards["calm"]["known_ways_to_game_it"][0].startswith("high: stable play: ")
    assert collected.cards["profit"]["known_ways_to_game_it"][0] == "none found by tacit lint"


def test_breakers_in_force_are_tried(collected):
    assert collected.drills == ("None: no breaker is in force that could be tried.",)
    guarded = arm("breakers.calm={watch: clearing_price, low: .5, action: stop}")
    (line,) = contents._drills([guarded])
    assert line == "base, calm: clearing_price outside 0.5..: stop. It held when it was tried."


def test_hostile_text_is_only_text(collected):
    told = replace(
        collected, title=HOSTILE, about=(HOSTILE,), states=(HOSTILE,), verdicts=(HOSTILE,),
        arms=({HOSTILE: HOSTILE},), cards={HOSTILE: {HOSTILE: [HOSTILE, None, []]}},
        acts=((HOSTILE,) * 4,), not_examined=(HOSTILE,), machine=HOSTILE, head=HOSTILE,
        figures={HOSTILE: ""}, lint={HOSTILE: (HOSTILE,)},
    )  # fmt: skip
    text = html_page(told)
    assert "<script" not in text
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x1b]0;x\\x07" in text


def test_seeds_that_were_not_searched_are_said(run, monkeypatch):
    monkeypatch.setattr(contents, "SEEDS", 1)
    found = collect(run, [], lambda *_: None)
    assert found.searched == "the last 1,000 rounds of training of the first 1 seeds of every arm"
    assert "worst deals: calm: seeds 1 to 1 were not searched" in found.not_examined


@pytest.fixture
def tacit(results, tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


def test_the_command_writes_one_file(tacit, results, tmp_path):
    result = tacit("report", "ad_auction", "--results", str(results))
    assert (result.code, result.out) == (0, "wrote ad_auction.html\n")
    assert [path.name for path in tmp_path.iterdir()] == ["ad_auction.html"]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-o", "x.pdf"], "-o: must end in .html, got x.pdf."),
        (["-o", "nowhere/x.html"], "-o: nowhere/x.html cannot be written: there is no folder"),
    ],
)
def test_mistakes_of_the_command(words, line, tacit, results):
    (found,) = mistake_lines(tacit("report", "ad_auction", *words, "--results", str(results)))
    assert found.startswith(line)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's package chromium")
def test_the_page_is_drawn_without_a_network(collected, tmp_path):
    """A browser that reaches nothing draws it, and logs no error."""
    path, picture = tmp_path / "report.html", tmp_path / "report.png"
    path.write_text(html_page(collected), encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path / 'profile'}",
         f"--screenshot={picture}", "--window-size=1000,2000", path.as_uri()],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert picture.stat().st_size > 20_000
    assert "CONSOLE" not in done.stderr
