"""PPO, A2C and DQN of Stable-Baselines3 in any seat, beside any other learner.

(It imports nothing: `--help` reads the config in here, and torch takes a second to import.)
"""
