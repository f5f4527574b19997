"""The stream adapter: DynamoDB stream records, and partial batch responses."""
