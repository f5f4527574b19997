"""The gateway's authorizer: verifies access tokens and checks that their sessions are live."""
