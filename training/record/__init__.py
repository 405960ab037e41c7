"""What happened in a run, played again: `SeedReplay`, tables of deals, verification.

replay          any round of a trained repetition, played again
evaluation_deals  rounds of the trained policies, without exploring or learning
samples         the sealed sample: the last rounds of every repetition, in a file
played_again    verification by playing intervals and samples again
lint            what lint says of an arm
signing         who stands behind the objectives of a run or a configuration
persons_acts    whether what people have changed is what the ledger says
reproduction    a run trained once more from configuration, seeds and acts
sealing         samples and an anchor of the ledger
verification    chain, seals, anchors, samples, cards, signatures, replays
"""

from .replay import SeedReplay

__all__ = ["SeedReplay"]
