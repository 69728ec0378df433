"""The figures of the lesson Convolution."""
