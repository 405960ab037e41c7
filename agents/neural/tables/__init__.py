"""Learners without hidden layers, whose batches are played and learned from in one compiled call.

(It imports nothing: what is in here is needed only where such learners play.)
"""
