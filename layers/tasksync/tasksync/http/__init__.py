"""The HTTP door: how a request is read, and how answers and errors are written."""
