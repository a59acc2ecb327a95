"""The commands of `gateway.cli`, one noun a module."""
