"""CycleGAN's generator: Zhu et al., "Unpaired Image-to-Image Translation" (ICCV 2017), after Johnson et al. (2016)."""
