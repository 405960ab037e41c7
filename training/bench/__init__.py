"""The bench: one repetition in a run folder of its own, played at a set pace, learning or frozen.

making     puts a repetition of a run or a configuration, as it was at a round, on the bench
trainer    trains it at a pace, behind a socket; also a process of its own
"""
