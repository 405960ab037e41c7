"""Speed of neural learning: agent-steps per CPU-second of one core, tacit beside its peers.

    python -m benchmarks.training                      # prints the table and writes training.md
    python -m benchmarks.training --copies 16 64       # only these; writes nothing
    python -m benchmarks.training --systems tacit tables     # only these; writes nothing
    python -m benchmarks.training --solve              # what all have learned after as many steps

The game: two providers choose among 15 prices and see both last prices (`cloud_bandwidth` as it
is). An agent-step is one decision of one seat. 128 rounds per update, 4 epochs of 4 minibatches,
actor and critic of two layers of 64, tanh, Adam. tacit and JAX train 16 seeds of two independent
learners; Stable-Baselines3 one shared policy, for that is what it offers. All take turns on one
core, in one process. First updates of young networks, which meet nearly all of the 225
observations; then whole trainings of 30 updates, half of the work by turns: one seed after the
other as `tacit train` does, in which policies come to meet few of them. Beside it: what many
seeds cost one another, and providers that see the last two rounds: 50,625 observations, not 225.

JAX over tables makes all updates of a turn in one call, and those of all seeds in one program. Both
were tried the other way round, updates one by one and seeds one after the other: that was slower.
"""

from __future__ import annotations

import argparse
import os
import platform
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import supersuit
from stable_baselines3 import PPO

from benchmarks.peers import jax_ippo, jax_tables
from benchmarks.timing import (
    CaseInPieces,
    Figure,
    Target,
    Work,
    race_by_turns,
    table,
)
from tacit.agents.batch.single_thread import one_thread
from tacit.agents.group import Group, make_group
from tacit.agents.neural.config import IppoConfig
from tacit.envs import cloud_bandwidth_v0, kpi
from tacit.envs.engine.engine import Engine
from tacit.envs.registry import make_market
from tacit.envs.views.sb3_vec_env import SeatVecEnv

COMMAND = "python -m benchmarks.training"
RESULT = Path(__file__).with_suffix(".md")
PACKAGES = ("numba", "numpy", "torch", "jax", "stable_baselines3", "supersuit")
MARKET = "cloud_bandwidth"
SEEDS, SEATS, ROUNDS, EPOCHS, MINIBATCHES = 16, 2, 128, 4, 4
RATE, ENTROPY = 1e-3, 0.01
SOLVING = {"copies": 16, "updates": 40, "discount": 0.0}
DISCOUNT, WHOLE = 0.95, 30  # of what is timed; updates of a whole training
BUCKETS = (8, 16, 24, 32, 48, 64, 96, 128, 176, 225)  # rows for which an update is compiled
WARM_UP = 3  # updates that are not timed
YOUNG = 3  # updates behind them that are
TURNS = 2  # in a whole training
STEPS, LONG = 20_000, 200_000  # agent-steps of a piece of work, at least; LONG of a seed
PEERS = {"tables": "JAX over tables", "met": "JAX over rows met", "jax": "JAX"}
MILLIONS = "M agent-steps/s"
TARGETS: dict[int, Target] = {  # of tacit's compiled engine, by copies
    16: Target(at_least=1.0), 256: Target(at_least=3.0), 1024: Target(at_least=8.0),
}  # fmt: skip
RATIOS = {
    "tables": Target(at_least=1.5, ratio=True), "met": Target(at_least=1.5, ratio=True),
    "jax": Target(at_least=2.5, ratio=True),
}  # fmt: skip
SEEDS_TARGET = Target(at_least=0.6, ratio=True)
LARGE, LARGE_COPIES, LARGE_TARGET = {"memory": 2}, 256, Target(at_least=0.15)


@dataclass(frozen=True)
class System:
    """Something that learns the game: `start(copies, discount)` gives an endless run of updates,
    each telling its agent-steps and their mean reward; copies it is raced at; pieces of it that are
    timed, and not timed before them; what is raced in its place, several updates a piece."""

    name: str
    start: Callable[[int, float], Iterator[tuple[int, float]]]
    copies: tuple[int, ...] = (16, 64, 256, 1024)
    pieces: int = YOUNG
    warm_up: int = WARM_UP
    raced: Callable[[int, float], Iterator[tuple[int, float]]] | None = None


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


def jax_tables_run(
    buckets: tuple[int, ...] = (), at_once: int = 1
) -> Callable[[int, float], Iterator[tuple[int, float]]]:
    """The same with tacit's idea: networks evaluated once per observation, not per sample; with
    buckets only for observations that an update has met. So many updates at once; the reward is
    that of the last."""

    def start(copies: int, discount: float) -> Iterator[tuple[int, float]]:
        settings = jax_ippo.Settings(copies, discount=discount, buckets=buckets)
        payoff, run = table_payoffs(), jax_ippo.begin(settings, 0)
        while True:
            run, rewards = jax_tables.train(settings, payoff, run, at_once)
            yield rewards.size * ROUNDS * copies, float(np.asarray(rewards)[-1].mean())

    return start


def table_payoffs() -> jax.Array:
    """`payoffs` as `jax_tables` reads them, float32 `[A * A, 2]`."""
    return jnp.asarray(payoffs().reshape(-1, 2), jnp.float32)


def groups_of_tacit(engine: str, seeds: int, copies: int, discount: float,
                    keys: Mapping[str, Any] | None = None) -> list[Group]:  # fmt: skip
    """A group of each seed; `keys`: of the market."""
    config = IppoConfig(
        engine=engine, discount=discount, rounds_per_update=ROUNDS, epochs=EPOCHS,
        minibatches=MINIBATCHES, learning_rate=RATE, entropy=ENTROPY,
    )  # fmt: skip
    market = make_market(MARKET, keys)
    agents, terms = {s.name: config for s in market.seats}, kpi.resolve(market, None)
    return [
        make_group(market, terms, agents, seed, copies, total_rounds=10**6) for seed in range(seeds)
    ]


def tacit_run(
    engine: str,
    seeds: int = SEEDS,
    keys: Mapping[str, Any] | None = None,
    fewest: dict[tuple[str, int], float] | None = None,
) -> Callable[[int, float], Iterator[tuple[int, float]]]:
    """tacit's `ippo`; an update of a seed after that of another.

    `keys`: of the market. `fewest`: gets the fewest observations that an update met.
    """

    def start(copies: int, discount: float) -> Iterator[tuple[int, float]]:
        groups = groups_of_tacit(engine, seeds, copies, discount, keys)
        while True:
            rewards, rows = [], []
            for group in groups:
                group.run(ROUNDS)
                rewards.append(group.read()[1][-SEATS:].mean())
                rows += [v for k, v in group.figures.items() if k.endswith("/rows")]
            if fewest is not None:
                fewest[engine, copies] = min(fewest.get((engine, copies), np.inf), *rows)
            yield seeds * SEATS * ROUNDS * copies, float(np.mean(rewards))

    return start


VISITED: dict[tuple[str, int], float] = {}  # fewest observations met in an update of SYSTEMS


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


ONE_PIECE: dict[str, Any] = {"pieces": 1, "warm_up": 1}
# A new system is a line here.
SYSTEMS = {
    "tacit": System("tacit ippo, engine compiled", tacit_run("compiled", fewest=VISITED)),
    "torch": System(
        "tacit ippo, engine torch", tacit_run("torch", fewest=VISITED), (16, 64, 256), **ONE_PIECE
    ),
    "tables": System(
        "JAX IPPO over policy tables",
        jax_tables_run(),
        **ONE_PIECE,
        raced=jax_tables_run(at_once=YOUNG),
    ),
    "met": System(
        "JAX IPPO over rows met",
        jax_tables_run(BUCKETS),
        **ONE_PIECE,
        raced=jax_tables_run(BUCKETS, YOUNG),
    ),
    "jax": System("JAX IPPO, one XLA program", jax_ippo_run, **ONE_PIECE),
    "sb3": System("SB3 PPO, our VecEnv", sb3_run, **ONE_PIECE),
    "supersuit": System("SB3 PPO, SuperSuit", supersuit_run, (16, 64), **ONE_PIECE),
}


def case(system: System, copies: int, what: str = "", least: int = STEPS) -> CaseInPieces:
    """Updates of a fresh run; each of them a piece of work, or several where they are small."""

    def prepare() -> Iterator[Work]:
        run = (system.raced or system.start)(copies, DISCOUNT)
        # These compile, fill buffers, and make the table in which tacit looks rounds up.
        first, _ = [next(run) for _ in range(system.warm_up)][-1]
        for _ in range(system.pieces):
            yield lambda: sum(next(run)[0] for _ in range(max(1, least // first)))

    return CaseInPieces(f"{system.name}, {what or f'{copies:,} copies'}", prepare)


def figure(
    name: str,
    found: Mapping[str, list[float]],
    peer: CaseInPieces | None = None,
    to: str = "",
    target: Target | None = None,
) -> Figure:
    """A line of the table, in millions of agent-steps a second."""
    peers = [x / 1e6 for x in found[peer.name]] if peer else []
    own = [x / 1e6 for x in found[name]]
    return Figure(name, own, MILLIONS, 3, to if peer else "", peers, target)


def speeds(names: Sequence[str], copies: Sequence[int], repeats: int) -> list[Figure]:
    """Every system at every number of copies, against the peer at the same number."""
    figures = []
    for n in copies:
        cases = {name: case(SYSTEMS[name], n) for name in names if n in SYSTEMS[name].copies}
        found = race_by_turns(list(cases.values()), repeats)
        peers = [key for key in PEERS if key in cases]
        if "tacit" in cases:
            own = cases["tacit"].name
            figures.append(figure(own, found, target=TARGETS.get(n)))
            figures += [figure(own, found, cases[k], PEERS[k], RATIOS[k]) for k in peers]
        for key, one in cases.items():
            if key != "tacit":
                peer = peers[-1] if peers else ""
                figures.append(figure(one.name, found, cases.get(peer), PEERS.get(peer, "")))
    return figures


def whole_by_tacit(copies: int) -> Iterator[Work]:
    """A whole training of each seed, one after the other; of its last update the reward is kept."""
    rewards: list[float] = []
    groups = iter(groups_of_tacit("compiled", SEEDS, copies, DISCOUNT))

    def work() -> int:
        for group in islice(groups, SEEDS // TURNS):
            group.run(ROUNDS * (WHOLE - 1))
            group.read()
            group.run(ROUNDS)
            rewards.append(group.read()[1][-SEATS:].mean())
        return SEEDS // TURNS * SEATS * ROUNDS * WHOLE * copies

    yield from [work] * TURNS
    REACHED["tacit", copies] = float(np.mean(rewards))


def whole_by_jax(name: str, buckets: tuple[int, ...], copies: int) -> Iterator[Work]:
    """The same by XLA: of all seeds first one half of the updates, then the other."""
    run = jax_tables_run(buckets, WHOLE // TURNS)(copies, DISCOUNT)

    def work() -> int:
        steps, REACHED[name, copies] = next(run)
        return steps

    yield from [work] * TURNS


REACHED: dict[tuple[str, int], float] = {}  # mean reward of the last update of whole trainings


def whole(copies: Sequence[int], repeats: int) -> list[Figure]:
    """Whole trainings beside the two strongest peers."""
    figures = []
    for n in copies:
        own = CaseInPieces(f"tacit ippo, {WHOLE} updates, {n:,} copies", partial(whole_by_tacit, n))
        peers = {
            key: CaseInPieces(f"{SYSTEMS[key].name}, {WHOLE} updates, {n:,} copies",
                      partial(whole_by_jax, key, buckets, n))
            for key, buckets in (("tables", ()), ("met", BUCKETS))
        }  # fmt: skip
        found = race_by_turns([own, *peers.values()], repeats)
        figures += [figure(own.name, found, c, PEERS[k], RATIOS[k]) for k, c in peers.items()]
        figures += [figure(one.name, found) for one in peers.values()]
    return figures


def beside(repeats: int) -> list[Figure]:
    """One seed against many in one process, as many updates of each; many observations."""
    names = {seeds: f"tacit ippo, {seeds} seed{'s' * (seeds > 1)}" for seeds in (1, SEEDS)}
    one, many = (
        case(System(name, tacit_run("compiled", seeds)), 64, least=LONG * seeds)
        for seeds, name in names.items()
    )
    large = case(System("tacit ippo", tacit_run("compiled", 1, LARGE)), LARGE_COPIES,
                 f"50,625 observations, {LARGE_COPIES} copies", LONG)  # fmt: skip
    found = race_by_turns([one, many, large], repeats)
    return [
        figure(one.name, found),
        figure(many.name, found, one, "1 seed", SEEDS_TARGET),
        figure(large.name, found, target=LARGE_TARGET),
    ]


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
    if "tacit" in options.systems:
        figures += whole(options.copies, options.repeats) + beside(options.repeats)
    rows = [f"{e}, {n:,} copies: {int(v)}" for (e, n), v in sorted(VISITED.items())]
    more = "fewest of 225 observations met in an update: " + ("; ".join(rows) or "-")
    reached = [f"{name}, {n:,} copies: {x:.4f}" for (name, n), x in REACHED.items()]
    more += f"\nmean reward in the last of {WHOLE} updates: " + ("; ".join(reached) or "-")
    print(table(figures), more, sep="\n")
    if options.systems == list(SYSTEMS) and options.copies == parser.get_default("copies"):
        more = f"{more}\n\n{solved(options.systems)}"
        RESULT.write_text(report(figures, more, options.repeats), encoding="utf-8")
        print(f"written to {RESULT.name}")


if __name__ == "__main__":
    main()
