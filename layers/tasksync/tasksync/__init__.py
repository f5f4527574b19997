"""The layer that all TaskSync functions share: model, domain services, repositories, HTTP and streams."""

__version__ = "0.2.0"
