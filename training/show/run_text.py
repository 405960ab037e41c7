"""What `tacit show` prints of a run: its question and KPIs, or one learned policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tacit.emergence.objective.own_firm_loss import LOSS
from tacit.emergence.registry import inapplicable
from tacit.emergence.stats import interval, number
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.training.config.arms import live_reason
from tacit.training.outcome.probing import learned_population
from tacit.training.outcome.summary import ArmSummary, estimate_of
from tacit.training.storage.live.answers_file import LIVE
from tacit.training.storage.load_run import choose_arm, learned_tables, read_experiment
from tacit.training.storage.run_folder import RunFolder
from tacit.training.storage.signature_files import objective_states

from .policy_table_text import MOST_LINES, table_lines
from .policy_text import policy_sentences


def run_lines(run: RunFolder, only: str | None = None) -> Iterator[str]:
    """Question, arms and KPIs of a run; arms under the same KPI share their lines.

    Args:
        run: its folder.
        only: the only arm that is shown; by default all are.

    Raises:
        ConfigError: the folder holds no run, or the run no such arm.
    """
    experiment = read_experiment(run)
    first = choose_arm(experiment, only)
    yield f"{run.path}: {experiment.name}. {experiment.headline}"
    keys = first.market.config.model_dump(exclude_defaults=True)
    yield f"market: {first.market.name}" + (f" {keys}" if keys else "")
    states = objective_states(run, experiment.arms)
    shown: set[tuple[str, str]] = set()  # hashes of KPIs, and who stands behind them
    for name, arm in experiment.arms.items():
        about = (arm.kpi_hash, states[name].text)
        if about in shown or only not in (None, name):
            continue
        shown.add(about)
        yield f"{name} (KPI {arm.kpi_hash[:12]}, {states[name].text}):"
        yield from (f"  {seat} {kpis.sentence(terms)}" for seat, terms in arm.kpi.items())


def learned_policy_lines(
    run: RunFolder, arm_name: str | None, seat_name: str, k: int, whole: bool = False
) -> Iterator[str]:
    """A learned policy: sentences, then its table; beside a live agent the table alone, because
    sentences tell where all policies together lead.

    Args:
        run: its folder.
        arm_name: the arm; by default the first.
        seat_name: whose policy.
        k: the repetition.
        whole: every line of the table, however many; else the first.

    Raises:
        ConfigError: there is no such arm, seat or repetition, it is not finished, or the agent of
            the seat is live.
    """
    arm = choose_arm(read_experiment(run), arm_name)
    seats = {seat.name: seat for seat in arm.market.seats}
    if seat_name not in seats:
        raise ConfigError(f"--policy: unknown seat '{seat_name}'. {nearest(seat_name, seats)}")
    if k >= arm.seeds:
        raise ConfigError(f"--seed: {k} is not one of 0 .. {arm.seeds - 1}.")
    seat = seats[seat_name]
    if arm.live:
        if seat_name in arm.live:
            arm.check_policies_known()
        table, kpi = learned_tables(run, arm, k)[seat_name], arm.kpi[seat_name]
        told = [f"(Where it settles is not told: {live_reason(arm.live)}.)"]
    else:
        population = learned_population(run, arm, k)
        table, kpi = population.tables[seat.index], population.kpi[seat_name]
        told = policy_sentences(population, seat)
    yield f"{seat_name} of {run.path.name}, arm {arm.name}, seed {k}, without exploration"
    yield f"  {seat_name} {kpis.sentence(kpi)}"
    yield from (f"  {line}" for line in told)
    lines = table_lines(seat.role, table)
    shown = lines if whole else lines[:MOST_LINES]
    if len(shown) == len(lines):
        yield "the whole table, line by line:"
    else:
        yield f"the table, its first {len(shown)} of {len(lines)} lines (--all shows every one):"
    yield from (f"  {line}" for line in shown)


def not_measured_lines(run: RunFolder, only: str | None = None) -> Iterator[str]:
    """Probes that say nothing of a run's markets, with the reason; probes of one reason together.

    Args:
        run: the run.
        only: only this arm; all by default.
    """
    experiment = read_experiment(run)
    arms = [arm for name, arm in experiment.arms.items() if only in (None, name)]
    probes: dict[str, list[str]] = {}  # reason -> probes
    for arm in arms:
        if arm.live:
            yield f"not measured: every probe of arm {arm.name}: {live_reason(arm.live)}"
            continue
        for probe, reason in inapplicable(arm.market, arm.kpi).items():
            own = probes.setdefault(reason, [])
            own += [probe] if probe not in own else []
    for reason, names in probes.items():
        yield f"not measured: {', '.join(names)}: {reason}"


def live_lines(summaries: Mapping[str, ArmSummary]) -> Iterator[str]:
    """How often live agents were asked, and how often no legal action came back, a line a seat.

    Args:
        summaries: by arm.
    """
    for name, summary in summaries.items():
        for seat, counts in summary.get(LIVE, {}).get("seats", {}).items():
            asked = int(counts.get("answers", 0))
            rest = ", ".join(f"{k} {int(n):,}" for k, n in counts.items() if k != "answers" and n)
            yield (
                f"{name}: the live agent of {seat} was asked {asked:,} times; "
                f"{f'{rest}: its fallback was played' if rest else 'every answer was legal'}"
            )


def own_firm_lines(summaries: Mapping[str, ArmSummary]) -> Iterator[str]:
    """What following its KPI costs each seat's own firm, a line an arm.

    Args:
        summaries: by arm.
    """
    for name, summary in summaries.items():
        cells = []
        for figure in summary["measures"]:
            if figure.startswith(f"{LOSS}/") and (own := estimate_of(summary, figure)):
                told = f"{number(own.mean)} {interval(own)}" if own.mean else "0"
                cells.append(f"{figure.partition('/')[2]} {told}")
        if cells:
            yield f"{name}, own-firm loss: {', '.join(cells)}"
