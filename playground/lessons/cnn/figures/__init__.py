"""The figures of the lesson CNN on MNIST."""
