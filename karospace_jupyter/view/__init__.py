"""The state of a view: one model, its saved form and its validation."""
