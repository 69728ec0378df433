"""The drawing of the lesson."""
