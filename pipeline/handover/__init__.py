"""What leaves the workspace for other systems, and what they report back."""
