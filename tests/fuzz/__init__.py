"""What schemathesis makes of the API's description, sent to a running stack."""
