"""Measures a real node over loopback: what `hansa bench` and the project's own benchmark have in common."""
