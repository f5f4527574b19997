"""The API's description, and pages for people."""
