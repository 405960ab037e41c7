"""Sweeps: one experiment under many settings, each a run of its own, on one machine or many.

axes          `--grid` and `--range`
plan          which cells a sweep has, as a function of their numbers
sweep_folder  where it keeps what; how far each cell is
sweeping      planned, checked, trained, resumed
cell          training one cell
engine        what every engine is
processes     worker processes of this machine (`worker` is what they run)
slurm         a script for an array of tasks
estimate      how long it takes
phase         where a measure crosses a level
board         what TensorBoard is given
"""
