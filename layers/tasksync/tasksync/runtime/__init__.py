"""The runtime of a function: settings, deadline, random numbers and unit of work."""
