"""The figures of the lesson Learning rates."""
