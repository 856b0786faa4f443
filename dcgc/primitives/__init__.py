"""What the sites of a game mean numerically: distributions, quadrature rules, functions of the language, relaxations."""
