"""The lesson CNN on MNIST: a convolutional network, its tests between steps, its charts and the drawing pad."""
