"""Runs: training every repetition of every arm, and measuring what they learned.

    runner                       `train`: all jobs of an experiment, then its summary
    seed_run                     one repetition, from its first round to its record
    evaluation, final_measures   what is read of a repetition on its way, and at its end
    partial, warm_start          repetitions that were interrupted, or that begin where others ended
    worker_pool, worker          processes for repetitions with networks
    progress                     what is reported on the way
    probing, training_curve      figures of probes, at the end and on the way
    summary, goodhart, judging   summary.json; gaps between arms; verdicts

Nothing is exported here: `python -m tacit.training.runs.worker` must not have been imported before
it runs.
"""
