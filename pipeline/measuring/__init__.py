"""Reading what planned actions did, once outcomes are settled."""
