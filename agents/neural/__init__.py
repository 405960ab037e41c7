"""Learners with networks of tacit's own: independent PPO and independent double DQN.

(It imports nothing: `--help` reads the configs in here.)
"""
