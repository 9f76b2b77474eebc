"""What the headers of each image format say; one module a format, none decodes a pixel."""
