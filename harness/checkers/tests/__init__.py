"""Tables of tiny hand-written histories, and the verdict each must get."""
