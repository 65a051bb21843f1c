"""What is believed of each action: the owner's priors, then evidence, then an uplift model."""
