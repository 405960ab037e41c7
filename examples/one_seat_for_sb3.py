"""PPO of Stable-Baselines3 learns to bid against a rival that bids at random."""

from __future__ import annotations

import numpy as np
import torch
from stable_baselines3 import PPO

import tacit
from tacit.agents.policy import uniform
from tacit.envs import SeatVecEnv


def main() -> None:
    """Learn for some seconds; print what it does, read back as a policy table."""
    # Matrices of a small network are too small to share between threads; two threads that
    # compete for a core with other processes make it slower many times over.
    torch.set_num_threads(1)
    market = tacit.make_market("ad_auction", {"price_mix": 1.0, "bids": 9})
    role = market.role("bidder")
    env = SeatVecEnv(market, "bidder_0", {}, {"bidder_1": uniform(role)}, 64, 32, infos=False)
    model = PPO("MlpPolicy", env, n_steps=32, batch_size=512, seed=0, device="cpu")
    model.learn(20_000)
    observations = env.seats.digits(np.arange(role.observations))
    actions, _ = model.predict(observations, deterministic=True)
    for o, action in enumerate(actions):
        print(f"{role.decode_observation(o)} -> {role.decode_action(int(action))}")


if __name__ == "__main__":
    main()
