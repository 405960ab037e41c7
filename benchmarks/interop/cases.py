"""What is tried: each library with the view that it takes and the function that trains it."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version


@dataclass(frozen=True)
class Case:
    """One library, or one algorithm of it.

    Attributes:
        name: as the table calls it.
        view: what it is given.
        module: in this package.
        function: there; `(market's name, steps) -> steps done`.
        packages: distributions whose versions the table names.
        imports: modules that must be there.
    """

    name: str
    view: str
    module: str
    function: str
    packages: tuple[str, ...]
    imports: tuple[str, ...]

    def missing(self) -> list[str]:
        """Modules that are not installed here."""
        return [name for name in self.imports if importlib.util.find_spec(name) is None]

    def versions(self) -> str:
        """The installed versions of its packages."""
        return ", ".join(f"{name} {version(name)}" for name in self.packages)

    @property
    def train(self) -> Callable[[str, int], int]:
        """The function; getting it imports the library."""
        module = importlib.import_module(f".{self.module}", __package__)
        found: Callable[[str, int], int] = getattr(module, self.function)
        return found


def sb3_case(name: str, view: str, function: str, *packages: str) -> Case:
    """A case of `with_sb3.py`, which imports all three libraries."""
    imports = ("stable_baselines3", "sb3_contrib", "supersuit")
    return Case(name, view, "with_sb3", function, packages or imports[:1], imports)


CASES = (
    sb3_case("Stable-Baselines3 PPO", "one seat, digits", "ppo"),
    sb3_case("Stable-Baselines3 DQN", "one seat, one-hot", "dqn"),
    sb3_case("SB3 `make_vec_env`", "one seat, digits", "made_by_sb3"),
    sb3_case("SB3 VecNormalize, VecFrameStack", "one seat, box", "wrapped"),
    sb3_case("SB3 SubprocVecEnv", "one seat, digits", "processes"),
    sb3_case("sb3-contrib MaskablePPO", "`SeatVecEnv`, digits", "maskable", "sb3_contrib"),
    sb3_case("sb3-contrib RecurrentPPO", "`SeatVecEnv`, box", "recurrent", "sb3_contrib"),
    sb3_case("SuperSuit, SB3 PPO", "parallel, box, flat", "supersuited", "supersuit"),
    Case(
        "CleanRL-style loop", "vector env, one-hot, mask",
        "plain_torch", "ppo", ("torch",), ("torch",),
    ),
    Case(
        "TorchRL PPO, `check_env_specs`", "parallel, one-hot, mask",
        "with_torchrl", "ppo", ("torchrl", "tensordict"), ("torchrl", "tensordict"),
    ),
    Case(
        "BenchMARL IPPO", "parallel, one-hot, mask",
        "with_benchmarl", "ippo", ("benchmarl", "torchrl"), ("benchmarl", "torchrl"),
    ),
    Case(
        "RLlib PPO", "parallel, one-hot, no infos",
        "with_rllib", "ppo", ("ray", "gymnasium"), ("ray", "tree"),
    ),
)  # fmt: skip
