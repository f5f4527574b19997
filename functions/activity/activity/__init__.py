"""The audit trail of rooms, written from the streams."""
