"""Three bidders bid at random in an ad auction; each round is printed as a sentence."""

from __future__ import annotations

import pettingzoo

import tacit.envs  # noqa: F401 (importing registers the markets)


def main() -> None:
    """Play three rounds."""
    env = pettingzoo.make(
        "parallel",
        "tacit/ad_auction-v0",
        market={"bidders": 3},
        kpi={"bidder": {"profit": 1.0, "win": 0.1}},
        episode_rounds=3,
        render_mode="ansi",
    )
    env.reset(seed=0)
    for seat in env.agents:
        env.action_space(seat).seed(7)
    while env.agents:
        actions = {seat: env.action_space(seat).sample() for seat in env.agents}
        _, rewards, _, _, infos = env.step(actions)
        print(env.render())
        price = infos["bidder_0"]["measures"]["clearing_price"]
        print(f"  price {price:.2f}; KPI payoffs {rewards}\n")


if __name__ == "__main__":
    main()
