"""Dev mode: keys, tokens, people and the demo, in place of an identity provider."""
