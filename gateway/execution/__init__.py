"""GraphQL documents to results. Knows GraphQL and a schema; nothing of billing: see README.md."""
