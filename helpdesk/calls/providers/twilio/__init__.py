"""Twilio: signatures, TwiML, REST and browser tokens; the only place that imports its library."""
