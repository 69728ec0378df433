"""The figures of the lesson Training loop."""
