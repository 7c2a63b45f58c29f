"""Client records: who turns to us, through which people, by which contact points."""
