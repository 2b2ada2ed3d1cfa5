"""The format: manifest, schema, reading, verification."""
