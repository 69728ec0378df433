"""The lesson "cnn"."""
