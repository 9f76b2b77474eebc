"""Writers of derivatives; one module a format."""
