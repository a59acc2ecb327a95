"""Payment providers: what they send, as facts that `gateway.billing` records."""
