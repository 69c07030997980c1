"""The Watchword server."""
