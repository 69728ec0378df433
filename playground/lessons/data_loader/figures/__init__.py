"""The figures of the lesson Data loader."""
