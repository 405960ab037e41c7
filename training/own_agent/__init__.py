"""Policies as files, and an examination of any bot that comes down to one.

- `export`: what a seat learned, as a policy file
- `subject`: who is examined; `rivals`, `matches`: against whom
- `answers`, `exploit`, `findings`: what the probes say of it; `played`: of a bot that is no table
- `examine`: all of it; `exam_text`, `exam_page`, `exam_figures`: shown
"""
