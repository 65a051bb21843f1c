"""What the workspace's own outcomes teach: beliefs of a night, and models of single customers at a retraining."""
