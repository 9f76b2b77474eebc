"""VGG-16, the network behind perceptual losses."""
