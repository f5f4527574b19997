"""Deterministic simulation: the real functions on a DynamoDB of our own, under a seeded scheduler.

    python -m tests.simulation --seed 17      one seed, with its interleaving
    python -m tests.simulation --seeds 1000   many seeds, with figures

A seed decides what the clients do, who runs next at every DynamoDB request, how long each request takes, and what
fails. So a seed that breaks an invariant breaks it again, the same way, each time it is run.
"""
