"""The restorer without a network: noise, JPEG artefacts, scratches, dust and fading, by measuring and filtering."""
