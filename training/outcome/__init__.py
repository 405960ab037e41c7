"""What a run found: measures, probes, verdicts, the summary, and writing all of it.

    final_measures      what is measured of a repetition at its end
    training_curve      figures along training
    probing             probes of repetitions, controls of arms
    tripped             what breakers and people did to the repetitions of an arm
    goodhart            what an arm loses against the one that is paid the fundamentals
    linting             lint of an arm, also as a process that can be given up
    adopters            series of arms by how many seats adopt
    judging             verdicts
    summary             summary.json
    finishing           all of these, bands, plots and seals, once every seed is trained

Functions are imported from these modules, one of which has the name of its function.
"""
