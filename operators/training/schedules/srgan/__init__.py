"""SRGAN: Ledig et al., "Photo-Realistic Single Image Super-Resolution Using a GAN" (CVPR 2017)."""
