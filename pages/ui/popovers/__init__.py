"""popovers."""
