"""What sweeps cost: `python -m benchmarks.sweep`."""
