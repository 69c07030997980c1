"""Credentials to AuthenticatedUser."""
