"""`python -m tacit` is the command `tacit`."""

from tacit.training.cli import main

main()
