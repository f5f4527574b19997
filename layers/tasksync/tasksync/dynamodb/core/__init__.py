"""What all tables share: the connection, transactions, batches, queries, concurrent reads."""
