"""What several rooms know, read together: one client, one report, the wallboard."""
