"""The external systems around the platform, each with its own API; all of them show one `World`."""
