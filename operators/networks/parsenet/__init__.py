"""ParseNet: the face parser that PSFR-GAN (Chen et al., CVPR 2021) was published with."""
