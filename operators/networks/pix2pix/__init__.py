"""The U-Net of pix2pix: Isola et al., "Image-to-Image Translation with Conditional Adversarial Nets" (CVPR 2017)."""
