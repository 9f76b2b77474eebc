"""SRResNet, the generator of SRGAN: Ledig et al., "Photo-Realistic Single Image Super-Resolution" (CVPR 2017)."""
