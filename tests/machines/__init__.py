"""State machines: the API against a plain reference of it, step by step, in sequences that Hypothesis makes up.

One client at a time, so that each answer is certain: what happens between clients is for the simulation and the storm.
"""
