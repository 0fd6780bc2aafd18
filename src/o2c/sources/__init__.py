"""Sources by configuration: a definition in YAML says where a ledger's tables are and how they map to the contract."""
