"""The form inside other sites: a script tag, a frame, and what may hold it."""
