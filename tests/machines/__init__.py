"""State machines: the API against a plain reference of it, step by step, in sequences that Hypothesis makes up.

One client at a time, so that each response is certain. The simulation and the storm test concurrent clients.
"""
