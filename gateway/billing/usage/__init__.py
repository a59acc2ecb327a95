"""Usage: events are checked, recorded once, and summed by window and dimension."""
