"""The charts of the lesson."""
