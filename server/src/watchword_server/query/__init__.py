"""What becomes of a query, from its message to its results."""
