"""TensorBoard on a sweep: a row and the bands of every cell, and nothing of its seeds."""
