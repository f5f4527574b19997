"""Calls to those services of AWS that speak AWS JSON: DynamoDB, Secrets Manager, CloudWatch and SQS."""
