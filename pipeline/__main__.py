"""``python -m pipeline`` is ``keepwell``."""

from pipeline.cli import main

main()
