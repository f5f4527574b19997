"""HTTP: reads requests, and writes responses and problem documents."""
