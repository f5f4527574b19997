"""Convergence: clients that keep a copy by ``/sync`` and ``/changes`` end with exactly what the routes show (I14).

Hypothesis makes up what people do, when streams are read, and when clients ask. The clients apply pages with the code
that docs/guides/sync.md shows.
"""
