"""Runs: training every repetition of every arm. What they found is in `tacit.training.outcome`.

    runner                       `train`: all jobs of an experiment, then its summary
    earlier                      what a run folder holds already, and whether it can be relied on
    seed_run                     one repetition, from its first round to its record
    breakers, branches           what follows when a figure leaves its band; rollbacks
    arm_points                   breakers that judge all repetitions of an arm together
    held                         repetitions that a breaker holds, and their release
    evaluation                   what is read of a repetition on its way
    partial, warm_start          repetitions that were interrupted, or that begin where others ended
    worker_pool, worker          processes for repetitions with networks
    memory                       whether the copies of a market fit into it
    progress, signals            what is reported on the way; how a run is stopped

Nothing is exported here: `python -m tacit.training.runs.worker` must not have been imported before
it runs.
"""
