"""How often the gate of `tacit tabulate` errs: python -m benchmarks.gate."""
