"""The lesson "classification"."""
