"""What the generators and the whole-image path cost on a GPU; docs/gpu.md says how to run and read it."""
