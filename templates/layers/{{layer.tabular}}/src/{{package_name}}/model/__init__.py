"""What the team rewrites for its own use case: the data contract, the features and the estimator."""
