"""The invariants of the stored data: snapshots of items, and the checks of `make audit`."""
