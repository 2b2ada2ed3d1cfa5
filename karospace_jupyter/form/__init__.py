"""Code that all forms share, independent of the user interface: option values, a summary of the data, problems."""
