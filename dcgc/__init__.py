"""dcgc: a compiler for differentiable communication games."""
