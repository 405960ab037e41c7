"""A battery of scripted players on which the rules for words are set and judged.

    python -m benchmarks.words                # every case; writes benchmarks/words.md
    python -m benchmarks.words --quick        # one arm a case; writes nothing

A case is a kind of players in one market; an arm is 48 populations of it, judged as a run would be.
What is right for a case is settled by arithmetic on the rules of the market, never by the probes.
Each market belongs to one half: thresholds were chosen on the half `choosing`, error rates are
those of the half `reporting`.
"""
