"""Table classes, one module per section of the domain. Reached through ``app.models`` only."""
