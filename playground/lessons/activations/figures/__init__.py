"""The figures of the lesson Activations."""
