"""Stable-Baselines3 in any seat, beside any other learner."""
