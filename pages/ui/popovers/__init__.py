"""What is shown only where it is asked for: own data, "Save and restore", and the replay links of "Share a link"."""
