"""What guardrails do: `python -m benchmarks.guardrails`.

Four experiments in which agents learn something that nobody wanted, and twelve things that can be
done about it, each tried in each experiment where it has a meaning. `cells.py` says what is tried,
`expected.yaml` what was expected before the first run, `play.py` trains and measures, `report.py`
writes the table and the figure.
"""
