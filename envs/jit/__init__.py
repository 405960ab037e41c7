"""Compilation: scalar kernels, loops generated for one market, arrays without reference counts.

`decorators.py` has the four ways in which tacit compiles a function, `loops.py` generates a
template's copy for one market, `array_views.py` has what inner loops use in place of slices.
"""
