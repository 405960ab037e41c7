"""What a run costs as it grows: `python -m benchmarks.growth`."""
