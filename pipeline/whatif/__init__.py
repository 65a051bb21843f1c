"""What another budget, capacity, belief or threshold would do to a night's plan, without publishing anything."""
