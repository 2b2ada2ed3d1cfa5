"""The bundle format: manifest, schema, reading and verification."""
