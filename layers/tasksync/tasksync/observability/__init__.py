"""Structured logs, metrics in log lines, CloudWatch queries and health probes."""
