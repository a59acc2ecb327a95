"""The object types of the graph, one noun a module."""
