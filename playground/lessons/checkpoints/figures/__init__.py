"""The figures of the lesson Save and restore."""
