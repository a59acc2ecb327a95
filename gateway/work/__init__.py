"""Durable work: jobs in the database, done by one process; and the loops of every process."""
