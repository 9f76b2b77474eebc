"""Terms of objectives, each a small function of tensors that gives one number to be made small."""
