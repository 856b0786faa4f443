"""What is done with a trained profile: taps, audits, quantised protocols, comparisons of estimators."""
