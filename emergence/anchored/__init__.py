"""Seats that are held to priors: what they would play in equilibrium, and what they inherit."""
