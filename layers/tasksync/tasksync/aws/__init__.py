"""Calls to those services of AWS that speak AWS JSON: DynamoDB and Secrets Manager."""
