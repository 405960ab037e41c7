"""The agents by name: a config model each, and what makes a learner of it.

A new agent is one config model here; a learner that updates between batches also a line in
`make_learner`. No learner imports another, and this is the only module that knows them all.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from tacit.envs import kpi as kpis
from tacit.envs.errors import ConfigError, build, nearest
from tacit.envs.market import Market, Seat
from tacit.envs.plugins import remember

from .batch.config import BatchConfig, batch_rounds
from .batch.learner import BatchesAtOnce, Learner, LearnerFactory
from .external.config import ChatConfig, ExternalConfig, is_live
from .external.fallback import fallback_table
from .external.table_agent import TableConfig
from .neural.config import MAX_HEADS, IdqnConfig, IppoConfig, NeuralConfig, too_many_heads
from .prior.config import PriorConfig
from .sb3.config import Sb3Config
from .scripted import Scripted, ScriptedConfig
from .tabular.config import TABULAR, QLearningConfig, check_synchronous
from .tabular.multiplicative_weights import MultiplicativeWeightsConfig

if TYPE_CHECKING:
    from .batch.group import BatchGroup
    from .neural.actor_critic import ActorCriticFactory
    from .neural.dqn import QNetworkFactory

MOST_CELLS = 2**26  # of all seats' policy tables; learning takes about 45 bytes a cell and seed

AGENTS: dict[str, type[BaseModel]] = {
    "q_learning": QLearningConfig,
    "multiplicative_weights": MultiplicativeWeightsConfig,
    "ippo": IppoConfig,
    "idqn": IdqnConfig,
    "sb3": Sb3Config,
    "scripted": ScriptedConfig,
    "table": TableConfig,
    "prior": PriorConfig,
    "external": ExternalConfig,
    "chat": ChatConfig,
}
SUMMARIES = {
    "q_learning": "tabular Q-learning, asynchronous or synchronous, many explorations",
    "multiplicative_weights": "tabular Hedge: all own actions are credited after every round",
    "ippo": "independent PPO: an actor and a critic per seat, evaluated once per observation",
    "idqn": "independent double DQN with replay and a target network",
    "sb3": "PPO, A2C or DQN of Stable-Baselines3, read back as tables",
    "scripted": "players with known behaviour: benchmarks, grim trigger, tit-for-tat, ...",
    "table": "the policy in a file: of a trained agent, a bot or a script (tacit export)",
    "prior": "what is known of how people play the seat, from a file of figures (tacit prior)",
    "external": "a bot of your own: a function of Python, or a command that speaks JSON lines",
    "chat": "a language model behind an endpoint of chat completions",
}


LEARNER_METHODS = ("acting", "table", "learn", "state", "load")  # of `batch.learner.Learner`
# Learners of users: the class of their config -> what makes the learner.
REGISTERED: dict[type[BaseModel], LearnerFactory] = {}


def register_agent(config: type[BatchConfig], factory: LearnerFactory, summary: str) -> None:
    """Make a learner of one's own known by the name that its config has as its default.

    Args:
        config: its keys; a field `name: Literal["my_name"] = "my_name"` names it.
        factory: makes the learner (`tacit.agents.batch.learner.Learner`) of a seat from its config,
            the seat, the seat's KPI terms and a seed.
        summary: one line for `tacit list`.

    Raises:
        ConfigError: the config has no name or is no `BatchConfig`, the name belongs to another
            agent, or the learner's class lacks a method.
    """
    if not issubclass(config, BatchConfig):
        raise ConfigError(f"{config.__name__}: must be a subclass of BatchConfig.")
    field = config.model_fields.get("name")
    name = field.default if field is not None else None
    if not isinstance(name, str):
        raise ConfigError(f"{config.__name__}: needs a field `name` with its name as the default.")
    if AGENTS.get(name, config) is not config:
        raise ConfigError(f"{name}: an agent of this name exists.")
    if isinstance(factory, type):
        lacking = [method for method in LEARNER_METHODS if not hasattr(factory, method)]
        if lacking:
            names = ", ".join(lacking)
            raise ConfigError(f"{name}: {factory.__name__} lacks methods of a Learner: {names}.")
    try:
        inspect.signature(factory).bind(config, None, {}, 0)
    except TypeError as error:
        raise ConfigError(f"{name}: is made from config, seat, terms, seed: {error}.") from None
    AGENTS[name], SUMMARIES[name], REGISTERED[config] = config, summary, factory
    remember(config.__module__)


# --- making --------------------------------------------------------------------------------------


def make_config(values: Mapping[str, Any], prefix: str) -> BaseModel:
    """The checked config of an agent given as `{name: ..., keys}`.

    Raises:
        ConfigError: an unknown agent, or mistakes in its keys; `prefix` says where they are.
    """
    name = values.get("name")
    if str(name) not in AGENTS:
        raise ConfigError(f"{prefix}: unknown agent '{name}'. {nearest(str(name), AGENTS)}")
    return build(AGENTS[str(name)], values, prefix)


def make_learner(
    config: BaseModel,
    seat: Seat,
    terms: Mapping[str, kpis.Term],
    seed: int,
    market: Market | None = None,
) -> Learner:
    """The learner of a seat whose config is a `BatchConfig`.

    Learners are imported here, when they are needed: torch takes a second to import.

    Args:
        config: the learner's keys.
        seat: the seat that it plays.
        terms: the seat's KPI terms by name.
        seed: the number that its draws come from.
        market: whose seat it is; only an anchor needs it.

    Raises:
        ConfigError: no learner has this config, or the learner refuses its keys or the KPI.
    """
    if type(config) in REGISTERED:
        return REGISTERED[type(config)](config, seat, terms, seed)
    if isinstance(config, IppoConfig):
        from .neural.ppo import Ippo

        prior = None
        if config.anchor is not None:
            if market is None:
                raise ConfigError(f"agents.{seat.name}.anchor: needs the market of the seat.")
            prior = config.anchor.prior(market, seat)
        return Ippo(config, seat, terms, seed, _actor_critic_class(config), prior)
    if isinstance(config, IdqnConfig):
        from .neural.dqn import Idqn

        return Idqn(config, seat, terms, seed, _network_class(config))
    if isinstance(config, Sb3Config):
        from .sb3.learner import make_sb3

        return make_sb3(config, seat, terms, seed)
    raise ConfigError(f"agents.{seat.name}: {config!r} is no learner of networks.")


def batches_at_once(group: BatchGroup) -> BatchesAtOnce | None:
    """What plays and learns from many batches of a group in one call; None: its learners cannot."""
    configs = [getattr(learner, "config", None) for learner in group.learners.values()]
    if not all(isinstance(config, IppoConfig) and not config.hidden for config in configs):
        return None
    from .neural.tables.batches import table_batches

    return table_batches(group)


def _actor_critic_class(config: IppoConfig) -> ActorCriticFactory:
    """The engine of PPO."""
    if config.engine == "compiled":
        from .neural.ppo_compiled import CompiledActorCritic

        return CompiledActorCritic
    from .neural.ppo_torch import TorchActorCritic

    return TorchActorCritic


def _network_class(config: NeuralConfig) -> QNetworkFactory:
    """The network of DQN."""
    if config.engine == "compiled":
        from .neural.network import Network

        return Network
    from .neural.torch_network import TorchNetwork

    return TorchNetwork


# --- checking ------------------------------------------------------------------------------------


def check_size(market: Market) -> None:
    """Whether all policy tables `[O, A]` together fit into memory.

    Raises:
        ConfigError: they do not; says how large they are, and what to drop.
    """
    cells = {role: role.seats * role.observations * role.actions for role in market.roles}
    total = sum(cells.values())
    if total > MOST_CELLS:
        role = max(cells, key=cells.__getitem__)
        raise ConfigError(
            f"market: policy tables would hold {total:,} numbers, more than {MOST_CELLS:,}: each "
            f"{role.name} sees {role.observations:,} observations and has {role.actions} actions. "
            f"{market.too_large(role)}"
        )


def check_agents(market: Market, configs: Mapping[str, BaseModel]) -> None:
    """Whether every seat's agent can play this market.

    Raises:
        ConfigError: all that cannot; seats of a role that share a config are named once.
    """
    check_size(market)
    mistakes: list[str] = []
    checked = []
    for seat in market.seats:
        config = configs[seat.name]
        if (seat.role.name, config) in checked:
            continue
        checked.append((seat.role.name, config))
        try:
            _check_agent(market, seat, config)
        except ConfigError as error:
            mistakes += error.mistakes
    try:
        batch_rounds(configs)
    except ConfigError as error:
        mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)


def _check_agent(market: Market, seat: Seat, config: BaseModel) -> None:
    """Whether an agent can play this seat.

    Raises:
        ConfigError: it cannot.
    """
    if isinstance(config, ScriptedConfig):
        Scripted(config, market, seat)
    elif isinstance(config, TableConfig | PriorConfig):
        config.policy(market, seat)
    elif isinstance(config, IppoConfig):
        config.bound(market, seat)
    elif is_live(config):
        fallback_table(seat, config)
    elif isinstance(config, TABULAR):
        check_synchronous(market, {seat.name: config})
    elif isinstance(config, Sb3Config):
        from .sb3.model import check_sb3  # torch takes a second to import

        check_sb3(config, seat)


def check_batches(
    kpi: Mapping[str, Mapping[str, object]], configs: Mapping[str, BaseModel], rounds: int
) -> None:
    """Whether learners of a run can learn from this KPI, and within so many rounds.

    Args:
        kpi: terms by seat and name.
        configs: agents by seat name.
        rounds: of the whole training, per copy.

    Raises:
        ConfigError: all mistakes.
    """
    mistakes = [
        too_many_heads(seat, len(kpi[seat]))
        for seat, config in configs.items()
        if isinstance(config, IppoConfig) and len(kpi[seat]) > MAX_HEADS
    ]
    batch = max(
        (c.rounds_per_update for c in configs.values() if isinstance(c, BatchConfig)), default=0
    )
    if rounds < batch:
        mistakes.append(
            f"train.rounds: must be at least the agents' rounds_per_update ({batch}), got "
            f"{rounds}: nothing would be learned."
        )
    if mistakes:
        raise ConfigError(mistakes)
