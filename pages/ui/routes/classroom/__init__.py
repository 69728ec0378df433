"""A live class as it is served: its sockets, its own pages, and boards that only read."""
