"""REST: one module for each URL or group of URLs."""
