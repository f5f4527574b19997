"""What every layer speaks of: entities, ids, errors, queries. No I/O; imports nothing of the other layers."""
