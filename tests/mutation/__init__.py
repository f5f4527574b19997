"""Condition mutation: every condition the product sends to DynamoDB, taken away or weakened, must be noticed.

    python -m tests.mutation            the table of all conditions, their mutants, and what catches each
    python -m tests.mutation rename     only those whose operation has this in its name

The source is not changed. Requests are, on their way out of botocore: a mutant is one condition of one operation,
changed wherever that operation sends it. The scenarios say what must be true in the very moment the condition is for:
they let somebody else's whole request happen just before a transaction is sent. Time, chance and DynamoDB are
simulated, so each run is the same.
"""
