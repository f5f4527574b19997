"""What tools make of the API's description, against a running stack: requests (schemathesis) and a client."""
