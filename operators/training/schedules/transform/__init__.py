"""The transformation network: Johnson et al., "Perceptual Losses for Real-Time Style Transfer" (ECCV 2016)."""
