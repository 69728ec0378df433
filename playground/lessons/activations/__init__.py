"""The lesson "activations"."""
