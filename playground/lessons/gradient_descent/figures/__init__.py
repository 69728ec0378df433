"""The figures of the lesson Gradient descent."""
