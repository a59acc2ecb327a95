"""Credit without a payment, and adjustments of a balance."""
