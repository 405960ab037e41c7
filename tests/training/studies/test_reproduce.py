"""Reproductions: what is within, exit codes, what is written, and the list of them."""

from __future__ import annotations

import csv
import json
import shutil
import signal

import pytest
from support.terminal import SMALL, Terminal, mistake_lines
from support.training_fixtures import small, write

from tacit.training.config.load import load
from tacit.training.outcome.summary import read_summary
from tacit.training.runs import runner
from tacit.training.studies import figures
from tacit.training.studies.checks import checks
from tacit.training.studies.reference_tables import table_page
from tacit.training.studies.reproduce import reproducible

FILE = """
question: Does it hold here?
source: nobody, 2026
market: ad_auction
arms: {{free: {{}}, calm: {{kpi: calm}}}}
references:
  - {{kind: literature, quantity: "price, free", arm: free, measure: revenue, value: {value},
     tolerance: {tolerance}, source: "nobody, 2026, page 1"}}
  - {{kind: prediction, quantity: "calm against free", arm: calm, versus: free, measure: {measure},
     expected: {expected}}}
figure: {{histogram: revenue, range: [0, 1]}}
"""


@pytest.fixture
def tacit(tmp_path, monkeypatch, capsys):
    return Terminal(tmp_path, monkeypatch, capsys)


@pytest.fixture(autouse=True)
def coarse(monkeypatch):
    """Figures are drawn with fewer pixels, which take most of the time."""
    monkeypatch.setattr(figures, "DPI", 40)


def experiment(folder, value=0.5, tolerance=1, measure="kpi_that_nobody_has", expected="below"):
    text = FILE.format(value=value, tolerance=tolerance, measure=measure, expected=expected)
    return write(folder / "mine.yaml", text)


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """A run of that experiment."""
    folder = tmp_path_factory.mktemp("runs")
    small(folder, "seeds=4", config=experiment(folder))
    return folder


@pytest.fixture(scope="module")
def arms(results):
    """Its summary."""
    return read_summary(results / "mine/summary.json")


# --- checks --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shift", "within"), [(0.0, True), (0.009, True), (0.011, False)])
def test_a_published_value_is_within_its_tolerance_or_not(shift, within, arms, tmp_path):
    mean = arms["free"]["measures"]["revenue"]["mean"]
    check, _ = checks(load(experiment(tmp_path, mean + shift, 0.01)), arms)
    assert check.within is within
    assert (check.measured, check.n) == (f"{mean:.4f}", 4)


def test_a_prediction_asks_for_disjoint_intervals_in_its_order(arms, tmp_path):
    entry = {name: arm["measures"]["price_change"] for name, arm in arms.items()}
    assert entry["calm"]["ci95"][1] < entry["free"]["ci95"][0]  # (or the rest tests nothing)
    for expected in ("below", "above"):
        file = experiment(tmp_path, measure="price_change", expected=expected)
        check = checks(load(file), arms)[1]
        assert check.within is (expected == "below")
        assert check.reference == expected


@pytest.mark.parametrize("expected", ["above", "below"])
def test_a_prediction_against_a_number_asks_for_the_whole_interval(expected, arms, tmp_path):
    low, high = arms["calm"]["measures"]["revenue"]["ci95"]
    assert low < high
    for bound in (low - 0.01, (low + high) / 2, high + 0.01):
        text = FILE.format(value=0, tolerance=1, measure="revenue", expected=expected)
        file = write(tmp_path / "mine.yaml", text.replace("versus: free", f"versus: {bound}"))
        check = checks(load(file), {"calm": arms["calm"]})[0]
        assert check.within is ((low > bound) if expected == "above" else (high < bound))
        assert (check.reference.split()[0], check.tolerance) == (expected, "interval")


def test_a_miss_that_was_fitted_is_noted(arms, tmp_path):
    text = FILE.format(value=0, tolerance=1, measure="revenue", expected="above")
    text = text.replace("tolerance: 1", "tolerance: 1, fitted: luck")
    file = write(tmp_path / "mine.yaml", text)
    experiment = load(file)
    text = table_page(
        "mine", experiment.file, [["price, free", "prediction", "0", ".5", "-", "4", "1", "yes"]]
    )
    assert text.splitlines()[-1] == "- price, free: chosen after a miss: luck"


def test_overlapping_intervals_are_no_order(arms, tmp_path):
    same = {"free": arms["free"], "calm": arms["free"]}
    for expected in ("below", "above"):
        file = experiment(tmp_path, measure="revenue", expected=expected)
        assert checks(load(file), same)[1].within is False


@pytest.mark.parametrize(
    ("calm", "below", "above"),
    [
        ([0.1, 0.3], True, False),  # [.4, .6] lies above it
        ([0.1, 0.5], False, False),  # overlaps on the left
        ([0.5, 0.9], False, False),  # on the right
        ([0.45, 0.55], False, False),  # within
        ([0.1, 0.9], False, False),  # around
        ([0.7, 0.9], False, True),
    ],
)
def test_an_order_needs_all_of_one_interval_beyond_all_of_the_other(
    calm, below, above, arms, tmp_path
):
    def arm(ends):
        entry = {"mean": sum(ends) / 2, "ci95": ends, "n": 4, "per_seed": [*ends, *ends]}
        return {**arms["free"], "measures": {"revenue": entry}}

    given = {"free": arm([0.4, 0.6]), "calm": arm(calm)}
    for expected, within in (("below", below), ("above", above)):
        file = experiment(tmp_path, measure="revenue", expected=expected)
        assert checks(load(file), given)[1].within is within


def test_a_measure_that_is_not_there_is_not_within(arms, tmp_path):
    check = checks(load(experiment(tmp_path)), arms)[1]
    assert (check.measured, check.within) == ("not defined", False)


def test_only_arms_that_were_run_are_checked(arms, tmp_path):
    assert len(checks(load(experiment(tmp_path)), {"free": arms["free"]})) == 1
    assert checks(load(experiment(tmp_path)), {"calm": arms["calm"]}) == []


OLD = """
source: nobody, 2026
market: ad_auction
arms: {free: {}, calm: {kpi: calm}}
published:
  - {quantity: a, arm: free, measure: revenue, value: 1, tolerance: 9}
  - {quantity: b, arm: free, measure: revenue, value: revenue, tolerance: 9}
predicted: [{quantity: c, arm: calm, versus: free, measure: revenue, expected: below}]
expected_verdict: {free: competitive}
"""


def test_keys_of_earlier_versions_are_read_and_their_present_name_is_told(arms, tmp_path):
    experiment = load(write(tmp_path / "old.yaml", OLD))
    assert experiment.notes == [
        "published, predicted, expected_verdict: read; the present name is references, with kind: "
        "literature, closed form, prediction, word"
    ]
    found = [(row.quantity, row.kind) for row in checks(experiment, arms)]
    kinds = ["literature", "closed form", "prediction", "word"]
    assert found == list(zip(["a", "b", "c", "verdict of free"], kinds, strict=True))
    assert (
        load(write(tmp_path / "bare.yaml", OLD.replace("source: nobody, 2026", "")))
        .file.published[0]
        .kind
        == "prediction"
    )  # a number without a source is nobody's but ours


def test_only_the_literature_and_closed_forms_fail_to_be_reproduced(arms, tmp_path):
    for kind, told in (("literature", "not reproduced"), ("prediction", "no")):
        file = write(
            tmp_path / "mine.yaml",
            FILE.format(value=7, tolerance=1, measure="revenue", expected="above").replace(
                "kind: literature", f"kind: {kind}"
            ),
        )
        assert checks(load(file), arms)[0].cells()[-1] == told


def test_a_word_about_seeds_that_were_cut_off_waits_for_more_rounds():
    word = {"kind": "word", "arm": "base", "word": "competitive", "written": "2026-11-23"}
    experiment = load({"market": "ad_auction", "references": [word]})
    for cut_off, told in ((0, "no"), (3, "no"), (4, "more rounds")):
        verdict = {"behaviour": "collusion", "word": "undecided", "evidence": [], "missing": []}
        converged = {"per_seed": [0.0] * cut_off + [1.0] * (60 - cut_off)}
        arm = {"measures": {"converged": converged}, "verdicts": [verdict], "seeds": 60}
        (row,) = checks(experiment, {"base": arm})
        assert row.cells()[-1] == told


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_stopped_while_it_trains_it_says_so_and_ends_with_the_signal_s_code(
    tacit, monkeypatch, name
):
    number = getattr(signal, name)
    monkeypatch.setattr(runner, "_train_jobs", lambda *_: signal.raise_signal(number))
    outside = signal.signal(number, signal.SIG_DFL)  # it may be ignored where tests run
    try:
        result = tacit("reproduce", experiment(tacit.folder), *SMALL)
    finally:
        signal.signal(number, outside)
    assert result.code == 128 + number
    assert "stopped; everything is kept. The same command goes on from here" in result.err
    assert "Traceback" not in result.err


@pytest.mark.slow
def test_within_ends_with_0_and_writes_table_and_figure(tacit, results):
    shutil.copytree(results / "mine", tacit.folder / "results/mine")
    path = experiment(tacit.folder, measure="price_change")
    result = tacit("reproduce", path, *SMALL, "seeds=4")
    assert result.code == 0
    assert "trained already; nothing to do" in result.err
    entries = (tacit.folder / "results/mine/ledger.jsonl").read_text().splitlines()
    acts = [json.loads(x)["act"] for x in entries]
    assert [act for act in acts if "training" in act] == ["training started", "training finished"]
    assert result.out.splitlines()[0].strip() == "Does it hold here?"
    assert "wrote results/reproduce/mine/{figure.png,table.csv,table.md}" in result.out
    folder = tacit.folder / "results/reproduce/mine"
    with (folder / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["within"] for row in rows] == ["yes", "yes"]
    assert [row["quantity"] for row in rows] == ["price, free", "calm against free"]
    text = (folder / "table.md").read_text()
    assert "Source: nobody, 2026." in text
    assert f"Command: `tacit reproduce mine {' '.join(SMALL)} seeds=4`" in text
    assert "| price, free | literature | 0.5 |" in text
    assert text.splitlines()[-1] == "- nobody, 2026, page 1: price, free"
    assert (folder / "figure.png").read_bytes()[:4] == b"\x89PNG"
    assert not (tacit.folder / "results/reference").exists()


@pytest.mark.slow
def test_not_within_ends_with_1_and_writes_the_same(tacit):
    result = tacit("reproduce", experiment(tacit.folder, value=7), *SMALL)
    assert result.code == 1
    assert "trained already" not in result.err
    assert (tacit.folder / "results/reproduce/mine/table.csv").is_file()
    assert "Traceback" not in result.err


@pytest.mark.slow
def test_only_the_flag_writes_the_reference(tacit):
    path = experiment(tacit.folder)
    text = (tacit.folder / "mine.yaml").read_text()
    settings = "train: {rounds: 20000, measure_last: 5000}\nseeds: 2\n"
    write(tacit.folder / "mine.yaml", text + settings)
    (line,) = mistake_lines(tacit("reproduce", path, "seeds=3", "--update-reference"))
    assert line == "--update-reference: takes an experiment as it is, without key=value."
    result = tacit("reproduce", path, "--update-reference")
    assert "wrote results/reference/mine" in result.out
    names = {p.name for p in (tacit.folder / "results/reference/mine").iterdir()}
    assert names == {"table.md", "table.csv", "figure.png"}
    one = (tacit.folder / "results/reference/table.md").read_text()
    assert "| literature | 1 | 1 reproduced |" in one
    assert "| prediction | 1 | 0 as expected |" in one
    assert "| mine | price, free | literature | 0.5 |" in one
    (tacit.folder / "results/reference/table.md").unlink()
    result = tacit("reproduce", "--list", "--update-reference")
    assert result.out.splitlines()[-1] == "wrote results/reference/table.md"
    assert (tacit.folder / "results/reference/table.md").read_text() == one


@pytest.mark.parametrize("words", [[], ["banchio_skrzypacz", "--all"]])
def test_one_or_all(words, tacit):
    (line,) = mistake_lines(tacit("reproduce", *words))
    assert line == "NAME: give one experiment or --all; see tacit reproduce --list."


@pytest.mark.parametrize("words", [["--all", "seeds=3"], ["seeds=3"]])
def test_a_setting_where_a_name_belongs_is_refused(words, tacit):
    (line,) = mistake_lines(tacit("reproduce", *words))
    advice = "settings go behind one experiment's NAME; --all takes experiments as they are."
    assert line == f"seeds=3: {advice}"


def test_a_config_that_publishes_nothing_is_refused(tacit):
    (line,) = mistake_lines(tacit("reproduce", "ad_auction"))
    assert line == "NAME: ad_auction has no references to compare with."
    assert list(tacit.folder.iterdir()) == []


# --- the list ------------------------------------------------------------------------------------


def test_the_list_has_source_references_compute_and_what_was_run_here(tacit):
    rows = {
        line.split()[0]: line for line in tacit("reproduce", "--list", "--wide").out.splitlines()
    }
    assert set(rows) == {"name", *reproducible()}
    assert "EC 2022" in rows["banchio_skrzypacz"]
    assert "3 literature, 3 word" in rows["banchio_skrzypacz"]
    assert rows["banchio_skrzypacz"].rstrip().endswith("not run")
    table = "quantity,within\na,yes\nb,no\n"
    write(tacit.folder / "results/reproduce/volatility_kpi/table.csv", table)
    rows = {
        line.split()[0]: line for line in tacit("reproduce", "--list", "--wide").out.splitlines()
    }
    assert rows["volatility_kpi"].rstrip().endswith("1 of 2 within")
    page = tacit.folder / "results/reproduce/volatility_kpi/table.md"
    for command, ends in (("volatility_kpi", "within"), ("volatility_kpi seeds=4", "settings")):
        page.write_text(f"Command: `tacit reproduce {command}`\n")
        rows = {
            line.split()[0]: line
            for line in tacit("reproduce", "--list", "--wide").out.splitlines()
        }
        assert rows["volatility_kpi"].rstrip().endswith(ends)


def test_the_shipped_references_are_known():
    assert {"banchio_skrzypacz", "volatility_kpi"} <= set(reproducible())
