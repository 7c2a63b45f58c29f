"""Pure tools that know neither Flask nor the database."""
