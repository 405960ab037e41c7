"""What a run keeps of agents that answer while others learn.

- `answers_file`: their answers, a file for each repetition
"""
