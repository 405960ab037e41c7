"""Every shipped YAML loads, and says only what differs from its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from tacit.agents.registry import AGENTS, make_config
from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError
from tacit.envs.registry import SHIPPED, make_market, market_class
from tacit.training.config import files
from tacit.training.config.experiment_file import ExperimentFile, TrainConfig
from tacit.training.config.load import load

LOADABLE = [*files.names("experiments"), *files.names("markets")]


def raw(name: str, *groups: str) -> dict[str, Any]:
    return files.read_yaml(files.find(name, groups, "name"))


def restated(model: type[BaseModel], values: Mapping[str, Any], where: str) -> Iterator[str]:
    """Keys whose value is what the model has without them."""
    for key, value in values.items():
        info = model.model_fields.get(key)
        if info is None or key == "name":
            continue
        default = info.get_default(call_default_factory=True)
        if isinstance(value, Mapping) and isinstance(default, BaseModel):
            yield from restated(type(default), value, f"{where}{key}.")
        elif value == default and isinstance(value, bool) == isinstance(default, bool):
            yield f"{where}{key}"


def agent_class(value: Mapping[str, Any]) -> type[BaseModel]:
    return AGENTS[str(value.get("name", "q_learning"))]


def dotted(name: str, arm: str, key: str, value: Any) -> Iterator[str]:
    """The same of one dotted key of an arm."""
    head, _, rest = key.partition(".")
    where, made = f"arms.{arm}.", load(name, arms=[arm]).arms[arm]
    for part in reversed(rest.split(".") if head in ("market", "train") else []):
        value = {part: value}
    if head == "market":
        yield from restated(type(made.market).model, value, f"{where}market.")
    elif head == "train":
        yield from restated(TrainConfig, value, f"{where}train.")
    elif head == "agents" and "." in rest:
        owner, _, last = rest.partition(".")
        config = next(c for seat, c in made.agents.items() if seat.startswith(owner))
        yield from restated(type(config), {last: value}, f"{where}agents.{owner}.")


def in_experiment(name: str) -> list[str]:
    """Restated keys of an experiment or a market's YAML."""
    file = raw(name, "experiments", "markets")
    found = [
        *restated(ExperimentFile, file, ""),
        *restated(TrainConfig, file.get("train", {}), "train."),
    ]
    if "seeds" in found and name in files.names("experiments"):
        market = file["market"]["name"] if isinstance(file["market"], Mapping) else file["market"]
        if "seeds" in raw(market, "markets"):  # (which is the default then)
            found.remove("seeds")
    if "shares" in file:
        assert not set(file) & {"market", "kpi", "agents", "train", "arms"}
        return found
    if isinstance(file["market"], Mapping):
        found += restated(market_class(file["market"]["name"]).model, file["market"], "market.")
    for owner, value in file.get("agents", {}).items():
        if isinstance(value, Mapping):
            found += restated(agent_class(value), value, f"agents.{owner}.")
    for arm, settings in file.get("arms", {}).items():
        for key, value in settings.items():
            if not stands_in(file, key.split(".")):  # (else the arm sets it back)
                found += dotted(name, arm, key, value)
    return found


def stands_in(table: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(table, Mapping) or part not in table:
            return False
        table = table[part]
    return True


@pytest.mark.slow
@pytest.mark.parametrize("name", LOADABLE)
def test_it_loads(name):
    assert load(name).arms


@pytest.mark.parametrize("name", files.names("kpis"))
def test_a_kpi_fits_a_market(name):
    def fits(market: str) -> bool:
        try:
            return bool(kpis.resolve(make_market(market), raw(name, "kpis")))
        except ConfigError:
            return False

    assert any(fits(market) for market in SHIPPED)


@pytest.mark.parametrize("name", files.names("agents"))
def test_a_preset_is_an_agent(name):
    assert make_config(raw(name, "agents"), name)


def test_every_market_has_its_yaml():
    assert set(SHIPPED) <= set(files.names("markets"))


def test_a_preset_is_one_of_a_market():
    for name in set(files.names("markets")) - set(SHIPPED):
        assert raw(name, "markets")["market"]["name"] in SHIPPED


@pytest.mark.parametrize("name", LOADABLE)
def test_it_says_only_what_differs(name):
    assert in_experiment(name) == []


@pytest.mark.parametrize("name", files.names("agents"))
def test_a_preset_says_only_what_differs(name):
    values = raw(name, "agents")
    assert list(restated(agent_class(values), values, "")) == []


@pytest.mark.parametrize("name", files.names("kpis"))
def test_a_kpi_says_only_what_differs(name):
    terms = [
        t for owner in raw(name, "kpis").values() for t in owner.values() if isinstance(t, Mapping)
    ]
    assert [key for term in terms for key in restated(kpis.Term, term, "")] == []


def test_the_check_finds_what_it_looks_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs/experiments").mkdir(parents=True)
    (tmp_path / "configs/experiments/loud.yaml").write_text(
        "market: {name: ad_auction, bids: 19, value: {value: 1}, price_mix: 1}\n"
        "train: {rounds: 600000, copies: 2}\n"
        "agents: {bidder: {name: q_learning, epsilon: 1, discount: .5}}\n"
        "arms: {a: {market.price_mix: 0, market.reserve: 0, train.evaluate_every: null,\n"
        "  agents.bidder.update: asynchronous}}\n"
    )
    assert in_experiment("loud") == [
        "train.rounds", "market.bids", "market.value.value", "agents.bidder.epsilon",
        "arms.a.market.reserve", "arms.a.train.evaluate_every",
        "arms.a.agents.bidder.update",
    ]  # fmt: skip
