"""Every library of the neighbourhood trains on every market: `python -m benchmarks.interop`.

`markets.py` has the markets; each other module has the loops of one library, `train(market, steps)`
in their signature, and imports that library; `cases.py` lists them. The tests in tests/envs/interop
call the same functions.
"""
