"""The runtime of a function: settings, clock, deadline, random numbers and unit of work."""
