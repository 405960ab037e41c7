"""Agents by name: what may be registered, which learner a config makes, what is too large."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pydantic import BaseModel

from tacit.agents import registry
from tacit.agents.batch.config import BatchConfig
from tacit.agents.registry import AGENTS, check_size, make_config, make_learner, register_agent
from tacit.agents.scripted import ScriptedConfig
from tacit.envs.errors import ConfigError

pytestmark = pytest.mark.usefixtures("registers")


class Named(BatchConfig):
    name: str = "mine"


class Nameless(BatchConfig):
    pass


class Taken(BatchConfig):
    name: str = "ippo"


class Plain(BaseModel):
    name: str = "plain"


class Half:
    """A learner that lacks most methods."""

    def __init__(self, config, seat, terms, seed):
        pass

    def learn(self):
        pass


def factory(config, seat, terms, seed):
    return (config, seat, terms, seed)


@pytest.mark.parametrize(
    ("config", "made_by", "mistake"),
    [
        (Plain, factory, "Plain: must be a subclass of BatchConfig"),
        (Nameless, factory, "Nameless: needs a field `name` with its name as the default"),
        (Taken, factory, "ippo: an agent of this name exists"),
        (Named, Half, "mine: Half lacks methods of a Learner: "),
        (Named, lambda config: None, "mine: is made from config, seat, terms, seed: too many"),
    ],
)
def test_what_cannot_be_registered_is_said(config, made_by, mistake):
    before = dict(AGENTS)
    with pytest.raises(ConfigError) as error:
        register_agent(config, made_by, "of mine")
    assert str(error.value).find(mistake) >= 0
    assert before == AGENTS


def test_a_registered_agent_is_made_by_its_factory():
    for _ in range(2):  # the same once more, as a module that is imported again does
        register_agent(Named, factory, "of mine")
    assert registry.SUMMARIES["mine"] == "of mine"
    config = make_config({"name": "mine", "discount": 0.5}, "agents.bidder")
    assert (type(config), config.discount) == (Named, 0.5)
    assert make_learner(config, "seat", {"a": 1}, 7) == (config, "seat", {"a": 1}, 7)


def test_what_is_no_agent_and_no_learner_is_said():
    with pytest.raises(ConfigError, match=r"agents\.x: unknown agent 'ipo'\. Did you mean 'ippo'"):
        make_config({"name": "ipo"}, "agents.x")
    with pytest.raises(ConfigError, match=r"agents\.seat_0: .* is no learner of networks"):
        make_learner(ScriptedConfig(), SimpleNamespace(name="seat_0"), {}, 0)


class Role(SimpleNamespace):
    """A role as far as its size goes."""

    __hash__ = object.__hash__


def test_tables_that_do_not_fit_into_memory_are_refused(monkeypatch):
    """Two sellers of 5 x 3 and a buyer of 4 x 2: 38 numbers."""
    buyer = Role(name="buyer", seats=1, observations=4, actions=2)
    seller = Role(name="seller", seats=2, observations=5, actions=3)
    market = SimpleNamespace(roles=[buyer, seller], too_large=lambda role: f"Drop {role.name}.")
    monkeypatch.setattr(registry, "MOST_CELLS", 38)
    check_size(market)
    monkeypatch.setattr(registry, "MOST_CELLS", 37)
    with pytest.raises(ConfigError) as error:
        check_size(market)
    (told,) = error.value.mistakes
    assert "would hold 38 numbers, more than 37: each seller sees 5 observations" in told
    assert told.endswith("has 3 actions. Drop seller.")
