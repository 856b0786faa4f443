"""Who knows what, in coordinates."""
