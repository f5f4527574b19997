"""Calls to the two services of AWS that requests wait for, in AWS JSON: DynamoDB and Secrets Manager."""
