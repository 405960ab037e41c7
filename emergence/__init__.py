"""Emergence: probes of frozen policies, rules that give words to arms, screens of bids.

`registry.py` lists the probes, `verdict.py` the rules; `README.md` says what lies where.
"""
