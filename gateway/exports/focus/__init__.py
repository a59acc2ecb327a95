"""FOCUS 1.2 cost files: written here, and read in `imports`."""
