"""Compilation: scalar kernels, loops generated for one market, arrays without reference counts."""
