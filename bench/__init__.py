"""Every figure the README quotes, measured against a peer or a limit in the same run."""
