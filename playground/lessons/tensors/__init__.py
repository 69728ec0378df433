"""The lesson Tensors: arrays in NumPy and tensors in torch, side by side."""
