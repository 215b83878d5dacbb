"""A million people in three thousand schools, written straight into the final tables."""
