"""Shared by all forms, independent of the user interface: options as plain values, choices in the data, problems."""
