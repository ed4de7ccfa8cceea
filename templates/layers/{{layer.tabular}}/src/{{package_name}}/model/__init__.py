"""The team's part: the data contract, the features and the estimator. The stages use nothing else of it."""
