"""The invariants of what is stored: a snapshot of each item, and the checks of `make audit`."""
