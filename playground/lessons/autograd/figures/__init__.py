"""The figures of the lesson Autograd."""
