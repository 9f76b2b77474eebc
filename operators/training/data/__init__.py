"""Where the samples of a training come from."""
