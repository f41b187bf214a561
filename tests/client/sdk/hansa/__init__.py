"""The package around the stand-in."""
