"""The carriers behind one port: Twilio, its offline twin, any PBX that can post a webhook."""
