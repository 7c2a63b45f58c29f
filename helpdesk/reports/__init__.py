"""What several rooms know about one thing, read together: the client's timeline."""
