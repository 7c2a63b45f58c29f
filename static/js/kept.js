// The request is kept by us, though it has no number yet: its draft on this device is done with.
try { localStorage.removeItem("ask"); } catch { /* private window */ }
