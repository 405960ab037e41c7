"""Columns of the integer arrays that `tacit.emergence.play.replay_loop` takes.

They live apart so that the compiled loop depends on nothing else of this folder: an edit of
`replays.py` then recompiles nothing.
"""

# `forced`, int64 [K, 3]: what is changed in each of K copies.
FORCED_SEAT = 0  # the seat whose action in round 0 is given; -1: none
FORCED_ACTION = 1  # that action
# From round 1 on the forced seat repeats its actions in this earlier copy; -1: it plays its table.
REPEATED_COPY = 2

# `columns`, int64 [S, 2]: measures of each of S seats.
SUMMED_MEASURE = 0  # added up with the discount
KEPT_MEASURE = 1  # kept round by round
