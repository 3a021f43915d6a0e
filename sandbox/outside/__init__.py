"""The systems around the platform, each as its own API shows it; all of them show one `World`."""
