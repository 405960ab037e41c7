"""What `tacit list` prints: rows of everything that has a name, or one name in detail.

Without a name `overview.py` prints the rows, which it keeps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from tacit.agents.registry import AGENTS, SUMMARIES
from tacit.envs.errors import ConfigError, nearest
from tacit.envs.market import Measure
from tacit.envs.registry import INSTALLED, MARKETS, make_market, market_class
from tacit.training.config import files
from tacit.training.config.breaker_settings import BreakerConfig, RedirectConfig

from .config_keys import key_rows
from .terminal import TextTable

Printed = str | TextTable  # a line or a table
TEXTS = ("question", "source", "explains", "compute")  # keys of a file that are sentences
BREAKERS = "breakers"  # a name of its own: the keys of a breaker
SHOWN_KEYS = 7  # of an agent's preset, in its line
SIGNS = {1: "+", -1: "-", 0: ""}


# --- everything -----------------------------------------------------------------------------------


def rows_of_everything() -> list[list[dict[str, str]]]:
    """Markets, KPIs, agents, priors and experiments: a table's rows for each."""
    return [
        _market_rows(),
        [{"KPI": n, "terms": _kpi_text(_config("kpis", n))} for n in files.names("kpis")],
        _agent_rows(),
        _prior_rows(),
        [
            {"experiment": name, "question": str(_config("experiments", name).get("question", ""))}
            for name in files.names("experiments")
        ],
    ]


def _config(group: str, name: str) -> dict[str, Any]:
    return files.read_yaml(files.find(name, (group,), "NAME"))


def _market_rows() -> list[dict[str, str]]:
    """Markets, and then presets: YAML files of markets that have a name of their own."""
    rows = [{"market": name, "what it is": _title(name)} for name in MARKETS]
    for name in files.names("markets"):
        if name not in MARKETS:
            question = _config("markets", name).get("question", "")
            rows.append({"market": name, "what it is": f"preset: {question}"})
    return rows


def _title(name: str) -> str:
    """What a market is; of one that a package offers and that does not import, why."""
    try:
        title = market_class(name).title
    except ConfigError as error:
        return f"cannot be used: {'; '.join(error.mistakes)}"
    return f"{title} ({INSTALLED[name]})" if name in INSTALLED else title


def _agent_rows() -> list[dict[str, str]]:
    """Agents, and then presets of agents, with the first of their keys."""
    rows = [{"agent": name, "what it is": SUMMARIES[name]} for name in AGENTS]
    for name in files.names("agents"):
        preset = _config("agents", name)
        keys = [f"{key} {value}" for key, value in preset.items() if key != "name"]
        shown = ", ".join(keys[:SHOWN_KEYS] + ["..."] * (len(keys) > SHOWN_KEYS))
        rows.append({"agent": name, "what it is": f"{preset.get('name')}: {shown}"})
    return rows


def _prior_rows() -> list[dict[str, str]]:
    """Priors, with whom they are for."""
    tables = {name: _config("priors", name) for name in files.names("priors")}
    return [
        {
            "prior": name,
            "for": f"{table.get('market')} {table.get('role')}",
            "whom it describes": str(table.get("title", "")),
        }
        for name, table in tables.items()
    ]


def _kpi_text(kpi: Mapping[str, Any]) -> str:
    """`bidder: profit 1.0, price_change -1.0`"""
    parts = []
    for owner, terms in kpi.items():
        table = terms if isinstance(terms, dict) else {}
        parts.append(f"{owner}: " + ", ".join(f"{name} {term}" for name, term in table.items()))
    return "; ".join(parts)


# --- one name -------------------------------------------------------------------------------------


def one(name: str) -> Iterator[Printed]:
    """A market, agent, experiment or KPI in detail; a market, then the experiment of its name.

    Raises:
        ConfigError: nothing has this name; the message has the nearest.
    """
    if name in MARKETS:
        experiment = ["", *_file(name, "experiments")] if name in files.names("experiments") else []
        return chain(_market(name), experiment)
    if name in AGENTS:
        return _agent(name)
    if name == BREAKERS:
        return _breakers()
    for group in files.FOLDERS:
        if name in files.names(group):
            return _file(name, group)
    advice = nearest(name, listed_names())
    if not advice.startswith("Did"):
        advice = "tacit list has all names, tacit explain NAME what measures and words mean."
    raise ConfigError(f"NAME: nothing is called '{name}'. {advice}")


def listed_names() -> list[str]:
    """All names that `one` knows."""
    of_files = (name for group in files.FOLDERS for name in files.names(group))
    return [*dict.fromkeys([*MARKETS, *AGENTS, BREAKERS, *of_files])]


def _market(name: str) -> Iterator[Printed]:
    market, cls = make_market(name), market_class(name)
    yield f"{name}: {cls.title}"
    for role in market.roles:
        yield (
            f"  {role.name} x {role.seats}: observations {role.observations:,}, actions "
            f"{role.actions}, fundamental {role.fundamental}, default KPI {role.default_kpi} 1"
        )
    yield f"  phases: {', '.join(market.phases)}"
    yield ""
    yield TextTable(key_rows(cls.model, "market."))
    yield ""
    yield _measure_table(getattr(cls, "measures", market.measures))
    yield ""
    for label, benchmark in market.benchmarks().items():
        values = ", ".join(f"{key} {value:.4g}" for key, value in benchmark.values.items())
        yield f"{label} benchmark: {values} ({benchmark.source})"
    for condition, against in market.conditions().items():
        holds = f"not met by the defaults ({'; '.join(against)})" if against else "met"
        yield f"condition '{condition}': {holds}"
    yield from _calibration(name)


def _measure_table(measures: Sequence[Measure]) -> TextTable:
    return TextTable([
        {"measure": m.name, "unit": m.unit, "sign": SIGNS[m.sign], "whose": ", ".join(m.roles),
         "meaning": m.meaning}
        for m in measures
    ])  # fmt: skip


def _calibration(name: str) -> Iterator[Printed]:
    """What `tacit calibrate` reads for this market, and the options that it has there."""
    from tacit.training.calibrate import FITS  # slow to import, and `tacit list` needs none

    if name not in FITS:
        return
    market_fit = FITS[name]
    yield ""
    yield f"fitted to data by: tacit calibrate {name} DATA.csv --columns NAME=COLUMN,..."
    yield TextTable([
        {"column": column.name, "holds": f"{column.kind}s",
         "required": "yes" if column.required else "no", "meaning": column.meaning}
        for column in market_fit.columns
    ])  # fmt: skip
    options = key_rows(market_fit.options, "--", head="option")
    if options:
        yield ""
        yield TextTable(options)


def _agent(name: str) -> Iterator[Printed]:
    yield f"{name}: {SUMMARIES[name]}"
    yield TextTable(key_rows(AGENTS[name]))


def _breakers() -> Iterator[Printed]:
    yield "breakers: what stops, holds or rolls back a repetition, by name"
    yield TextTable(key_rows(BreakerConfig, "breakers.NAME."))
    yield ""
    yield TextTable(key_rows(RedirectConfig, "breakers.NAME.redirect."))


def _file(name: str, group: str) -> Iterator[Printed]:
    """A file of configs/: its sentences, then the rest as YAML."""
    table = _config(group, name)
    for key in TEXTS:
        if table.get(key):
            yield f"{key}: {str(table[key]).strip()}"
    yield files.dump_yaml({key: value for key, value in table.items() if key not in TEXTS})
