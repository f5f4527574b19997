"""The DynamoDB adapter: repositories, which take and return entities, with PynamoDB models and transactions."""
