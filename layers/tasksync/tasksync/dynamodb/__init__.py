"""The tables: PynamoDB models, queries and transactions. They take and return entities."""
