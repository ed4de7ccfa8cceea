"""mlops-new: a catalog of architectural patterns for machine learning, and the tool that renders them."""

__version__ = "0.1.0"
