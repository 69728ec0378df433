"""The lesson Autograd: the graph behind a computation, and the gradients that backward() finds in it."""
