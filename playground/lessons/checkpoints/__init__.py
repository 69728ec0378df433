"""The lesson "checkpoints"."""
