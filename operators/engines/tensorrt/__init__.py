"""TensorRT and TensorRT-RTX, through one Python API; what differs between them is in `flavours`."""
