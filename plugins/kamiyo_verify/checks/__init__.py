"""Checks for any platform, and the client that they use."""
