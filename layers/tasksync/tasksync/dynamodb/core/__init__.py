"""The core of the repositories: connection, transactions, batches, queries and concurrent reads."""
