"""Billing & Usage: a GraphQL gateway for a cloud that sells compute against prepaid credit."""
