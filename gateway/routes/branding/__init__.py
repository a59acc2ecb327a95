"""The platform's name, logo, accent and links on the page."""
