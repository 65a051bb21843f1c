"""Who is left out on purpose: control, withheld share, exploration, and what they can show."""
