"""Faults put into the way to a real S3 server."""
