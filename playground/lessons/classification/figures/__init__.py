"""The figures of the lesson Classification."""
