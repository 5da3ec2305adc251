"""What the applications of both clients notice of a rolling restart."""
