"""The lesson "convolution"."""
