"""The lesson "autograd"."""
