"""The whole picture through a network: shown in working colour, taken back in the picture's own depth and colours."""
