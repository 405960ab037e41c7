"""What the page shows of a run, read from its folder; nothing here writes, or asks the run.

| file | what |
|---|---|
| `saved_seed.py` | a repetition as its last save, or its checkpoint, holds it |
| `standing.py` | breakers, who earns what, claims against truth, branches, kept states |
| `last_deals.py` | its last deals, played again, and why one was done |
| `so_far.py` | what the verdicts' rules say of an arm as it is now |
| `worker.py` | the process in which the two last are done, so that the page never waits |
"""
