"""GraphQL documents to answers. Knows GraphQL and a schema; nothing of billing."""
