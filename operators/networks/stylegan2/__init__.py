"""StyleGAN2: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN" (CVPR 2020)."""
