"""The knowledge base: articles in three languages, their search, and what readers made of them."""
