"""The same requests done the usual way."""
