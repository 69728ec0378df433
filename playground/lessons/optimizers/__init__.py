"""The lesson "optimizers"."""
