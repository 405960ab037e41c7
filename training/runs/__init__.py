"""Running experiments: seeds, workers, checkpoints, summaries."""
