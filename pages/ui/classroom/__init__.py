"""What the app's own pages are in a class: the bar's side on the server, the runs as the class sees them, locks."""
