"""The lesson "tensors"."""
