"""The use case's code: `model` and `stages` are its machine learning, `ops` is what runs it."""
