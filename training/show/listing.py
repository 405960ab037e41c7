"""The parts that `tacit list` and `tacit show` print."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tacit.agents.registry import AGENTS, SUMMARIES
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.registry import MARKETS, make_market, market_class
from tacit.training.config import files
from tacit.training.runs.load_run import choose_arm, learned_group, read_experiment
from tacit.training.runs.probing import population_of
from tacit.training.runs.run_folder import RunFolder

from . import describe
from .policy_text import portrait
from .terminal import TextTable

Printed = str | TextTable


def everything() -> Iterator[Printed]:
    """Markets, KPIs, agents, experiments: a line each."""
    rows = [{"market": n, "what it is": market_class(n).title} for n in MARKETS]
    for name in files.names("markets"):
        if name not in MARKETS:
            raw = files.read_yaml(files.find(name, ("markets",), "NAME"))
            rows.append({"market": name, "what it is": f"preset: {raw.get('question', '')}"})
    yield TextTable(rows)
    yield ""
    rows = []
    for name in files.names("kpis"):
        raw = files.read_yaml(files.find(name, ("kpis",), "NAME"))
        rows.append({"KPI": name, "terms": _raw_kpi(raw)})
    yield TextTable(rows)
    yield ""
    agents = [{"agent": n, "what it is": SUMMARIES[n]} for n in AGENTS]
    for name in files.names("agents"):
        raw = files.read_yaml(files.find(name, ("agents",), "NAME"))
        own = [f"{k} {v}" for k, v in raw.items() if k != "name"]
        settings = ", ".join(own[:7] + ["..."] * (len(own) > 7))
        agents.append({"agent": name, "what it is": f"{raw.get('name')}: {settings}"})
    yield TextTable(agents)
    yield ""
    rows = []
    for name in files.names("experiments"):
        raw = files.read_yaml(files.find(name, ("experiments",), "NAME"))
        rows.append({"experiment": name, "question": str(raw.get("question", ""))})
    yield TextTable(rows)


def _raw_kpi(raw: dict[str, object]) -> str:
    parts = []
    for owner, terms in raw.items():
        shown = terms if isinstance(terms, dict) else {}
        parts.append(f"{owner}: " + ", ".join(f"{k} {v}" for k, v in shown.items()))
    return "; ".join(parts)


def one(name: str) -> Iterator[Printed]:
    """A market, agent, experiment or KPI in detail; a market, then the experiment of its name."""
    if name in MARKETS:
        also = ["", *_file(name, "experiments")] if name in files.names("experiments") else []
        return chain(_market(name), also)
    if name in AGENTS:
        return _keys(f"{name}: {SUMMARIES[name]}", name)
    for group in ("experiments", "markets", "kpis", "agents"):
        if name in files.names(group):
            return _file(name, group)
    known = [
        *MARKETS,
        *AGENTS,
        *(n for g in ("experiments", "markets", "kpis", "agents") for n in files.names(g)),
    ]
    raise ConfigError(f"NAME: nothing is called '{name}'. {nearest(name, dict.fromkeys(known))}")


def _market(name: str) -> Iterator[Printed]:
    cls = market_class(name)
    market = make_market(name)
    yield f"{name}: {cls.title}"
    yield from (f"  {line}" for line in describe.role_lines(market))
    yield f"  phases: {', '.join(market.phases)}"
    yield ""
    heads = ("key", "default", "bounds", "meaning")
    yield TextTable([
        dict(zip(heads, (f"market.{row[0]}", *row[1:]), strict=True))
        for row in describe.keys(cls.model)
    ])  # fmt: skip
    yield ""
    signs = {1: "+", -1: "-", 0: ""}
    yield TextTable([
        {"measure": m.name, "unit": m.unit, "sign": signs[m.sign], "whose": ", ".join(m.roles),
         "meaning": m.meaning}
        for m in cls.measures
    ])  # fmt: skip
    yield ""
    for label, benchmark in market.benchmarks().items():
        values = ", ".join(f"{k} {v:.4g}" for k, v in benchmark.values.items())
        yield f"{label} benchmark: {values} ({benchmark.source})"
    for condition, against in market.conditions().items():
        holds = f"not met by the defaults ({'; '.join(against)})" if against else "met"
        yield f"condition '{condition}': {holds}"


def _keys(title: str, name: str) -> Iterator[Printed]:
    yield title
    heads = ("key", "default", "bounds", "meaning")
    yield TextTable([dict(zip(heads, row, strict=True)) for row in describe.keys(AGENTS[name])])


def _file(name: str, group: str) -> Iterator[Printed]:
    raw = files.read_yaml(files.find(name, (group,), "NAME"))
    for key in ("question", "source", "explains", "compute"):
        if raw.get(key):
            yield f"{key}: {str(raw[key]).strip()}"
    rest = {k: v for k, v in raw.items() if k not in ("question", "source", "explains", "compute")}
    yield files.dump_yaml(rest)


def about_run(run: RunFolder, only: str | None = None) -> Iterator[str]:
    """Question, arms (or only one) and KPIs of a run."""
    experiment = read_experiment(run)
    first = choose_arm(experiment, only)
    yield f"{run.path}: {experiment.name}. {experiment.file.question}"
    keys = first.market.config.model_dump(exclude_defaults=True)
    yield f"market: {first.market.name}" + (f" {keys}" if keys else "")
    told = set()
    for name, arm in experiment.arms.items():
        if arm.kpi_hash in told or only not in (None, name):
            continue
        told.add(arm.kpi_hash)
        yield f"{name} (KPI {arm.kpi_hash[:12]}, unvalidated objective):"
        yield from (f"  {seat} {kpis.words(terms)}" for seat, terms in arm.kpi.items())


def policy(run: RunFolder, arm_name: str | None, seat_name: str, k: int) -> Iterator[str]:
    """A learned policy, read out."""
    arm = choose_arm(read_experiment(run), arm_name)
    seats = {seat.name: seat for seat in arm.market.seats}
    if seat_name not in seats:
        raise ConfigError(f"--policy: unknown seat '{seat_name}'. {nearest(seat_name, seats)}")
    if k >= arm.seeds:
        raise ConfigError(f"--seed: {k} is not one of 0 .. {arm.seeds - 1}.")
    population = population_of(arm, k, learned_group(run, arm, k))
    seat = seats[seat_name]
    yield f"{seat_name} of {run.path.name}, arm {arm.name}, seed {k}, without exploration"
    yield f"  {seat_name} {kpis.words(arm.kpi[seat_name])}"
    yield from (f"  {x}" for x in portrait(population, seat))
    yield "the whole table, line by line:"
    learned = population.tables[seat.index]
    yield from (f"  {x}" for x in describe.policy_lines(seat.role, learned))
