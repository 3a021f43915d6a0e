"""The load that a run puts on a platform."""
