"""The figures of the lesson Tensors."""
