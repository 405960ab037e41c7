"""Runs: training every seed of every arm, and the folder that this leaves.

    runner                       `train`: all jobs of an experiment, then its summary
    seed_run                     one repetition, from its first round to its record
    partial, warm_start          repetitions that were interrupted, or that begin where others ended
    worker_pool, worker          processes for repetitions with networks
    progress                     what is reported on the way
    run_folder, run_config       where a run keeps what; config.yaml, incentives.json
    checkpoint, legacy           saves that are sealed; records of earlier versions
    load_run                     arms and learned policies read back
    probing, training_curve      figures of probes, at the end and on the way; verdicts
    summary, goodhart            summary.json; gaps between arms
    machine                      what a result was computed on

Nothing is exported here: `python -m tacit.training.runs.worker` must not have been imported before
it runs.
"""
