"""The lesson Convolution: its labs, what they share, its figures and its prose."""
