"""BenchMARL: a task of one's own whose env is a market."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

from benchmarl.algorithms import IppoConfig
from benchmarl.environments.common import Task, TaskClass
from benchmarl.experiment import Experiment, ExperimentConfig
from benchmarl.models.mlp import MlpConfig
from torchrl.data import Composite
from torchrl.envs import EnvBase

from .markets import EPISODE, check_moved
from .with_torchrl import wrap

BATCH = 250


class MarketTask(TaskClass):
    """What BenchMARL asks of a task: the env, its groups, and which keys are what."""

    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], EnvBase]:
        return lambda: wrap(self.config["market"]).to(device)

    def supports_continuous_actions(self) -> bool:
        return False

    def supports_discrete_actions(self) -> bool:
        return True

    def has_render(self, env: EnvBase) -> bool:
        return False

    def max_steps(self, env: EnvBase) -> int:
        return 3 * EPISODE  # phases: no market has more than three

    def group_map(self, env: EnvBase) -> dict[str, list[str]]:
        return env.group_map

    def state_spec(self, env: EnvBase) -> Composite | None:
        return None

    def action_spec(self, env: EnvBase) -> Composite:
        return env.full_action_spec

    def info_spec(self, env: EnvBase) -> Composite | None:
        return None

    def observation_spec(self, env: EnvBase) -> Composite:
        return _only(env, "observation")

    def action_mask_spec(self, env: EnvBase) -> Composite | None:
        return _only(env, "action_mask")

    @staticmethod
    def env_name() -> str:
        return "tacit"


def _only(env: EnvBase, name: str) -> Composite:
    """The observation spec with one key of every group."""
    spec = env.observation_spec.clone()
    for group in env.group_map:
        for key in list(spec[group].keys()):
            if key != name:
                del spec[group][key]
    return spec


class MarketTasks(Task):
    """The list of tasks, by which BenchMARL finds the class."""

    MARKET = None

    @staticmethod
    def associated_class() -> type[MarketTask]:
        return MarketTask


def ippo(name: str, steps: int) -> int:
    """Independent PPO, as BenchMARL ships it."""
    config = ExperimentConfig.get_from_yaml()
    config.loggers, config.create_json, config.evaluation = [], False, False
    config.on_policy_collected_frames_per_batch = BATCH
    config.on_policy_n_envs_per_worker = 1
    config.on_policy_n_minibatch_iters, config.on_policy_minibatch_size = 2, BATCH
    config.max_n_frames = -(-steps // BATCH) * BATCH
    config.sampling_device = config.train_device = config.buffer_device = "cpu"
    model = MlpConfig.get_from_yaml()
    with tempfile.TemporaryDirectory() as folder:
        config.save_folder = folder
        experiment = Experiment(
            MarketTasks.MARKET.get_task(config={"market": name}),
            IppoConfig.get_from_yaml(), model, seed=0, config=config, critic_model_config=model,
        )  # fmt: skip
        parameters = [p for loss in experiment.losses.values() for p in loss.parameters()]
        before = [p.detach().clone() for p in parameters]
        experiment.run()
    check_moved(before, [p.detach() for p in parameters])
    return int(experiment.total_frames)
