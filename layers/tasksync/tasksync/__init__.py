"""What the TaskSync functions share: rules, tables, HTTP, streams."""

__version__ = "0.2.0"
