"""How contacts come in: adapters store a Delivery, pure readers turn it into an Inbound."""
