"""Who may do what: scopes, tokens, and the principal that a request is. Pure: it knows no request and no store."""
