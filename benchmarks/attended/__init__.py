"""What a page that is looked at costs a run: `python -m benchmarks.attended`.

Writes `attended.md`. One run of two seeds trains all the time; windows without a page, with a page
that one client reads and with one that twenty read follow one another, again and again, so that a
slow minute hits all of them. Page and clients run on the same machine as the market, and take their
time from it. Speeds by the clock are those of a machine that may have other work; so processor time
is measured too: of page and clients, and of the market for its rounds. Nothing is asserted.
"""
