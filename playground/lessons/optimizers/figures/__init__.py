"""The figures of the lesson Optimizers."""
