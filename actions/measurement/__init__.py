"""What planned actions did: pure statistics on settled units."""
