"""The stages of the project's pipelines; each is a small command line: `python -m <package>.stages.<stage>`."""
