"""A simulated shop whose truth is known: who would stay, who would leave, and what each action does."""
