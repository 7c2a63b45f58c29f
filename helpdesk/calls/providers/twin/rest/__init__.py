"""The twin's REST interface: Twilio's 2010-04-01 resources as far as the product uses them."""
