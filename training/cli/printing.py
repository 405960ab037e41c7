"""What several commands print: the table of a comparison, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tacit.training.storage.run_folder import RunFolder
    from tacit.training.studies.compare import ArmRow


def print_comparison(
    runs: list[RunFolder],
    measure: str | None,
    arm: str | None = None,
    disclaimer: bool = True,
    wide: bool = False,
) -> list[ArmRow]:
    """Print the table of a comparison with a key below, and return its rows.

    Args:
        runs: whose arms are compared.
        measure: what is compared; by default the market's headline.
        arm: the only arm that is shown; by default all are.
        disclaimer: whether it is said below the table who stands behind the objectives and, of
            verdicts, that they are about a simulation.
        wide: every column, in one piece.
    """
    from tacit.training.show.findings.table_key import table_key
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.studies.compare import adoption_lines, brief_cells
    from tacit.training.studies.compare import compare as compare_runs

    rows = [row for row in compare_runs(runs, measure) if arm in (None, row.cells["arm"])]
    out = console(wide=wide)
    out.print(TextTable([row.cells for row in rows] if wide else brief_cells(rows)))
    for line in adoption_lines(runs, arm):
        out.print(line, soft_wrap=True)
    market = next(iter(read_experiment(runs[0]).arms.values())).market
    for line in table_key(rows, measure or market.headline, market):
        out.print(line, soft_wrap=True)
    if disclaimer:
        _print_foot(runs, rows, arm)
    return rows


def print_findings(run: RunFolder) -> None:
    """Print what a finished run found: its question, five sentences, the table of its arms."""
    from tacit.training.show.findings.five_sentences import five_sentences
    from tacit.training.show.terminal import TextTable, console
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.studies.compare import brief_cells
    from tacit.training.studies.compare import compare as compare_runs

    experiment, out, rows = read_experiment(run), console(), compare_runs([run])
    # Of the whole run: its other arms may be as the file describes them.
    if experiment.headline:
        out.print(experiment.headline, style="bold", soft_wrap=True)
    arms = {name: experiment.arms[name] for name in (row.cells["arm"] for row in rows)}
    headline = next(iter(experiment.arms.values())).market.headline
    for line in five_sentences(arms, rows, headline):
        out.print(line, soft_wrap=True)
    out.print("")
    out.print(TextTable(brief_cells(rows)))
    _print_foot([run], rows)


def _print_foot(runs: list[RunFolder], rows: list[ArmRow], arm: str | None = None) -> None:
    """Who stands behind the objectives and, of verdicts, that they are about a simulation."""
    from tacit.emergence.verdict import DISCLAIMER
    from tacit.training.show.terminal import console

    for line in objective_lines(runs, arm):
        console().print(line, soft_wrap=True)
    if any("verdict" in row.cells for row in rows):
        console().print(DISCLAIMER, soft_wrap=True)


def objective_lines(runs: list[RunFolder], arm: str | None = None) -> list[str]:
    """Who stands behind the objectives of runs, for the foot of a table.

    Args:
        runs: whose arms. Of several, arms are called `run/arm`.
        arm: the only arm that is told of; by default all are.
    """
    from tacit.oversight.objective import state_lines
    from tacit.training.storage.load_run import read_experiment
    from tacit.training.storage.signature_files import objective_states
    from tacit.training.studies.compare import arm_label, run_labels

    states, labels = {}, run_labels(runs)
    for label, run in labels.items():
        for name, state in objective_states(run, read_experiment(run).arms).items():
            if arm in (None, name):
                states[arm_label(label, name, len(labels))] = state.text
    return state_lines(states)


def print_next(run: RunFolder, as_shipped: bool) -> None:
    """Print what the figures mean, where the run's figure is, and what is next.

    Args:
        run: a finished run.
        as_shipped: it has the experiment's own settings, so that the file's text holds for it.
    """
    from tacit.training.show.terminal import console
    from tacit.training.storage.load_run import read_experiment

    experiment, out = read_experiment(run), console()
    if experiment.file.explains and as_shipped:
        out.print(f"\n{experiment.file.explains.strip()}", soft_wrap=True)
    figure = run.figure(experiment.name)
    if figure.is_file():
        out.print(f"figure: {figure}", soft_wrap=True)
    out.print(f"words:  {run.command('compare')}", soft_wrap=True)
    out.print(f"next:   {run.command('board')}", soft_wrap=True)
