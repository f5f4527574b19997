"""The stream door: DynamoDB stream records, and which of them failed."""
