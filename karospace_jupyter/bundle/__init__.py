"""The bundle format: manifest, schema, reading, writing and verification."""
