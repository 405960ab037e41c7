"""TensorBoard: event files, bands over seeds, plots."""
