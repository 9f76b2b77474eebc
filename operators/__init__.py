"""What is done to an image or a face: plain callables over pixels, free of Ray, storage and jobs."""
