"""The server: one port for pages and `/events`, SMTP, the worker, and who supervises them."""
