"""How a model comes to be trusted: tried at past dates, compared, challenged, refitted, registered."""
