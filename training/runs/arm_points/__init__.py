"""Breakers that judge all repetitions of an arm together (`scope: arm`).

points      what all repetitions have read at an evaluation point, and who has still to come there
member      one repetition among those of its arm: what it gives, and what follows from all
slots       how many repetitions play at once, where those that wait for others hold no place
exchange    learners that go on in another repetition of the arm
together    all repetitions of an arm, trained side by side in threads of this process
"""
