"""Which tissue images are exported, where each lies, and their pixels."""
