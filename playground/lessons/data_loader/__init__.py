"""The lesson Data loader: its labs, what they read with, its figures and its prose."""
