"""The demo: accounts, purchases and usage that follow from a seed, and a meter."""
