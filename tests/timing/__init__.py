"""Does the time a refused sign-in takes tell whether the name exists? `python -m tests.timing` measures it."""
