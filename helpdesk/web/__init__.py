"""Pages by reader: desk, portal, supervisor, admin; and what all of them share."""
