"""One market seen through PettingZoo, Gymnasium and Stable-Baselines3."""
