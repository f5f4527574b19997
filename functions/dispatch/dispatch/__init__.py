"""Does what entries of change logs call for."""
