"""Speed of neural learning: agent-steps per CPU-second of one core, tacit beside its peers.

    python -m benchmarks.training                      # prints the table and writes training.md
    python -m benchmarks.training --copies 16 64       # only these; writes nothing
    python -m benchmarks.training --systems jax sb3    # only these; writes nothing
    python -m benchmarks.training --solve              # what all have learned after as many steps

The game: two providers choose among 15 prices and see both last prices (`cloud_bandwidth` as it
is). An agent-step is one decision of one seat. 128 rounds per update, 4 epochs of 4 minibatches,
actor and critic of two layers of 64, tanh, Adam. tacit and JAX train 16 seeds of two independent
learners; Stable-Baselines3 one shared policy, for that is what it offers. All take turns on one
core, in one process.
"""

from __future__ import annotations

import argparse
import os
import platform
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import supersuit
from stable_baselines3 import PPO

from benchmarks import jax_ippo
from benchmarks.timing import Case, Figure, Work, race, table
from tacit.agents.neural.config import IppoConfig
from tacit.agents.neural.group import NeuralGroup
from tacit.agents.neural.threads import one_thread
from tacit.envs import cloud_bandwidth_v0, kpi
from tacit.envs.engine import Engine
from tacit.envs.registry import make_market
from tacit.envs.seat_sb3 import SeatVecEnv

COMMAND = "python -m benchmarks.training"
RESULT = Path(__file__).with_suffix(".md")
PACKAGES = ("numba", "numpy", "torch", "jax", "stable_baselines3", "supersuit")
MARKET = "cloud_bandwidth"
SEEDS, ROUNDS, EPOCHS, MINIBATCHES = 16, 128, 4, 4
RATE, ENTROPY = 1e-3, 0.01
SOLVING = {"copies": 16, "updates": 40, "discount": 0.0}


@dataclass(frozen=True)
class System:
    """Something that learns the game: `start(copies, discount)` gives an endless run of updates,
    each telling its agent-steps and their mean reward; copies it is raced at; a footnote."""

    name: str
    start: Callable[[int, float], Iterator[tuple[int, float]]]
    copies: tuple[int, ...] = (16, 64, 256, 1024)
    note: str = ""


def one_core() -> None:
    """From now on: before JAX computes anything, for it starts its threads then."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    flags = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    os.environ["XLA_FLAGS"] = flags
    one_thread()


def payoffs() -> np.ndarray:
    """Both providers' profits for every pair of prices, float64 `[A, A, 2]`, from the kernel."""
    market = make_market(MARKET)
    actions = market.roles[0].actions
    engine = Engine(market, copies=actions**2)
    engine.reset()
    engine.step(np.indices((actions, actions)).reshape(2, -1).T)
    return engine.rewards.reshape(actions, actions, 2).copy()


def jax_ippo_run(copies: int, discount: float) -> Iterator[tuple[int, float]]:
    """The whole loop compiled by XLA."""
    settings = jax_ippo.Settings(copies, discount=discount)
    payoff, run = jnp.asarray(payoffs(), jnp.float32), jax_ippo.begin(settings, 0)
    while True:
        run, rewards = jax_ippo.train(settings, payoff, run, 1)
        yield rewards.size * ROUNDS * copies, float(jax.block_until_ready(rewards).mean())


def tacit_run(engine: str) -> Callable[[int, float], Iterator[tuple[int, float]]]:
    """tacit's `ippo`; an update of a seed after that of another."""

    def start(copies: int, discount: float) -> Iterator[tuple[int, float]]:
        config = IppoConfig(
            engine=engine, discount=discount, rounds_per_update=ROUNDS, epochs=EPOCHS,
            minibatches=MINIBATCHES, learning_rate=RATE, entropy=ENTROPY,
        )  # fmt: skip
        market = make_market(MARKET)
        agents, terms = {s.name: config for s in market.seats}, kpi.resolve(market, None)
        groups = [
            NeuralGroup(market, terms, agents, seed, copies, total_rounds=10**6)
            for seed in range(SEEDS)
        ]
        while True:
            rewards, rows = [], []
            for group in groups:
                group.run(ROUNDS)
                rewards.append(group.read()[1][-len(market.seats) :].mean())
                rows += [v for k, v in group.figures.items() if k.endswith("/rows")]
            VISITED[engine, copies] = min(rows)
            yield SEEDS * len(agents) * ROUNDS * copies, float(np.mean(rewards))

    return start


VISITED: dict[tuple[str, int], float] = {}  # fewest observations met in the last update


def ppo(env: Any, discount: float, seed: int | None) -> Iterator[tuple[int, float]]:
    """Stable-Baselines3's PPO, tuned for speed: as many gradient steps as the others take."""
    size = ROUNDS * env.num_envs
    model = PPO(
        "MlpPolicy", env, n_steps=ROUNDS, batch_size=size // MINIBATCHES, n_epochs=EPOCHS,
        learning_rate=RATE, gamma=discount, ent_coef=ENTROPY, seed=seed, device="cpu",
    )  # fmt: skip
    while True:
        model.learn(size, reset_num_timesteps=False)
        yield size, float(model.rollout_buffer.rewards.mean())


def sb3_run(copies: int, discount: float) -> Iterator[tuple[int, float]]:
    """SB3 over our VecEnv: one shared policy in both seats."""
    market = make_market(MARKET)
    env = SeatVecEnv(market, "provider", copies=copies, episode_rounds=None, infos=False)
    return ppo(env, discount, 0)


def supersuit_run(copies: int, discount: float) -> Iterator[tuple[int, float]]:
    """SB3 over SuperSuit over our PettingZoo view: the usual way, also one shared policy."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        env = cloud_bandwidth_v0.parallel_env(episode_rounds=None)
        single = supersuit.pettingzoo_env_to_vec_env_v1(env)
        many = supersuit.concat_vec_envs_v1(
            single, copies, num_cpus=0, base_class="stable_baselines3"
        )
    return ppo(many, discount, None)  # (SB3 cannot seed SuperSuit's environments)


# A new system is a line here.
SYSTEMS = {
    "tacit": System("tacit ippo, engine compiled", tacit_run("compiled")),
    "torch": System("tacit ippo, engine torch", tacit_run("torch"), (16, 64, 256)),
    "jax": System("JAX IPPO, one XLA program", jax_ippo_run),
    "sb3": System("SB3 PPO, our VecEnv", sb3_run, note="one shared policy, one seed"),
    "supersuit": System("SB3 PPO, SuperSuit", supersuit_run, (16, 64), "the same"),
}
PEER = "jax"


def case(system: System, copies: int) -> Case:
    """Updates of a fresh run: as many as make some hundred thousand agent-steps, at least one."""
    per_update = 2 * ROUNDS * copies * (1 if system.note else SEEDS)
    updates = max(1, 200_000 // per_update)

    def prepare() -> Work:
        run = system.start(copies, 0.95)
        next(run)  # compiles, and fills buffers
        return lambda: sum(next(run)[0] for _ in range(updates))

    return Case(f"{system.name}, {copies:,} copies", prepare)


def speeds(names: Sequence[str], copies: Sequence[int], repeats: int) -> list[Figure]:
    """Every system at every number of copies, against the peer at the same number."""
    figures = []
    for n in copies:
        cases = {name: case(SYSTEMS[name], n) for name in names if n in SYSTEMS[name].copies}
        found = race(list(cases.values()), repeats)
        peer = found[cases[PEER].name] if PEER in cases else ()
        figures += [
            Figure(
                one.name,
                [x / 1e6 for x in found[one.name]],
                "M agent-steps/s",
                3,
                "JAX" if peer else "",
                [x / 1e6 for x in peer],
            )
            for one in cases.values()
        ]
    return figures


def solved(names: Sequence[str]) -> str:
    """Mean reward in the last of as many updates at discount 0, where each has but to answer the
    other's price: beside the profit of the one-shot equilibrium."""
    copies, updates = int(SOLVING["copies"]), int(SOLVING["updates"])
    lines = [f"discount 0, {copies} copies, {updates} updates of {ROUNDS} rounds, mean reward:"]
    for name in names:
        run = SYSTEMS[name].start(copies, SOLVING["discount"])
        rewards = [next(run)[1] for _ in range(updates)]
        lines.append(f"  {SYSTEMS[name].name:<28} first {rewards[0]:.4f}  last {rewards[-1]:.4f}")
    nash = make_market(MARKET).benchmarks()["competitive"].values["profit"]
    return "\n".join([*lines, f"  equilibrium of one round      {nash:.4f}"])


def machine() -> str:
    """Processor, versions, date."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = names[0] if names else platform.processor()
    versions = [f"{package} {version(package)}" for package in PACKAGES]
    return ", ".join([f"{name} (one core used)", *versions, date.today().isoformat()])


def report(figures: Sequence[Figure], more: str, repeats: int) -> str:
    """The page that is kept."""
    return f"""# Speed of neural learning

{machine()}.

`{COMMAND}`: agent-steps per CPU-second of one core, {repeats} interleaved repeats; ratios are
medians of the ratios within a repeat. What is measured: [README.md](README.md).

```text
{table(figures)}
{more}
```
"""


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Neural learning beside its peers.")
    parser.add_argument("--copies", type=int, nargs="+", default=[16, 64, 256, 1024])
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--solve", action="store_true", help="only: what they have learned")
    options = parser.parse_args()
    one_core()
    print(machine())
    if options.solve:
        print(solved(options.systems))
        return
    figures = speeds(options.systems, options.copies, options.repeats)
    rows = [f"{e}, {n:,} copies: {int(v)}" for (e, n), v in sorted(VISITED.items())]
    more = "fewest of 225 observations met in an update: " + ("; ".join(rows) or "-")
    print(table(figures), more, sep="\n")
    if options.systems == list(SYSTEMS) and options.copies == parser.get_default("copies"):
        more = f"{more}\n\n{solved(options.systems)}"
        RESULT.write_text(report(figures, more, options.repeats), encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
