"""Choose the tissue images, align them with the cells and read their pixels."""
