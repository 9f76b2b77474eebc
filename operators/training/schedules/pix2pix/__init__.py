"""pix2pix: Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks" (CVPR 2017)."""
