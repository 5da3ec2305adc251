"""Who may watch and write what: every route, transport and carrier, with every kind of token."""
