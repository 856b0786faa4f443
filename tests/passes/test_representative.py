"""A large symmetric family as one member and the others, against sums over all profiles of acts and closed forms."""

from __future__ import annotations

from itertools import product
from math import comb, factorial

import numpy as np
import pytest
from small_games import chance, cost, figures, natural, problem, rule

from dcgc.core.site import Others

HEAD = "game G\nparam N : int = 10\nplayer P[N] symmetric\n"
YES = 0.3


def over_profiles(pay, options, law, n=10):
    """The first member's expected pay, by summing over all profiles."""
    return sum(np.prod([law[k] for k in acts]) * pay(acts) for acts in product(range(options), repeat=n))


@pytest.mark.parametrize(("written", "pay"), [
    ("(sum(a) >= 3) - 0.2 * a[i]", lambda a: (sum(a) >= 3) - 0.2 * a[0]),
    ("sum(a[others])^2 * a[i]", lambda a: sum(a[1:]) ** 2 * a[0]),
    ("exp(sum(2 * a[j] for j in P if j != i) / 10)", lambda a: np.exp(sum(a[1:]) / 5)),
    ("prod(1 - a[j] for j in P if j != i) - prod(0.9 - 0.3 * a[j] for j in P)",
     lambda a: all(x == 0 for x in a[1:]) - 0.9 ** (10 - sum(a)) * 0.6 ** sum(a)),
    ("max(a[others]) + 2 * min(a) + mean(a[others])^2", lambda a: max(a[1:]) + 2 * min(a) + (sum(a[1:]) / 9) ** 2),
    ("many[i] * a[i] + share^3", lambda a: (sum(a) - a[0] > 4) * a[0] + (sum(a) / 10) ** 3),
])
def test_what_is_paid_is_the_sum_over_all_profiles(written, pay):
    p = problem(HEAD + "for i in P { decide a[i] : Bool by P[i] knowing nothing mixed }\nlet share = mean(a)\n"
                f"for i in P {{ let many[i] = sum(a) - a[i] > 4 }}\nfor i in P {{ cost P[i] = {written} }}")
    assert not p.loops and p.apart == ""
    assert cost(p, natural(p, {"a[1]": chance(lambda: YES)}), "P[1]") == pytest.approx(over_profiles(pay, 2, (1 - YES, YES)), rel=1e-12)


def test_a_choice_of_three_is_counted_option_by_option():
    p = problem(HEAD + "for i in P { decide r[i] : Choice(fast, slow, walk) by P[i] knowing nothing mixed }\n"
                "let f = sum(r[j] == fast for j in P)\nlet s = sum(r[j] == slow for j in P)\n"
                "for i in P { cost P[i] = (r[i] == fast) * f^2 + (r[i] == slow) * s * f + (r[i] == walk) * 9 }")
    law = (0.5, 0.2, 0.3)
    found = cost(p, natural(p, {"r[1]": chance(lambda: np.array(law))}), "P[1]")

    def pay(acts):
        f, s = acts.count(0), acts.count(1)
        return (f**2, s * f, 9.0)[acts[0]]

    # the others' numbers are multinomial: sum over them in place of 3^10 profiles
    exact = 0.0
    for own, f in product(range(3), range(10)):
        for s in range(10 - f):
            w = 9 - f - s
            p_others = factorial(9) / factorial(f) / factorial(s) / factorial(w) * law[0]**f * law[1]**s * law[2]**w
            exact += law[own] * p_others * pay((own,) + (0,) * f + (1,) * s + (2,) * w)
    assert found == pytest.approx(exact, rel=1e-12)


def test_own_signals_of_the_others_are_integrated_out_given_what_all_share():
    """Each sees theta through a noise of its own: given theta the number of those who act is binomial."""
    p = problem(HEAD + "random theta ~ Bernoulli(0.4)\nfor i in P { random e[i] ~ Bernoulli(0.25) }\n"
                "for i in P { let x[i] = theta + e[i] - 2 * theta * e[i] }\n"
                "for i in P { decide a[i] : Bool by P[i] knowing x[i] }\nlet n = sum(a)\n"
                "for i in P { payoff P[i] = a[i] * ((n >= 4) - 0.1 * theta) }\nmeasure two = Var[n]\nmeasure n0 = E[n | theta == 0]")
    world = natural(p, {"a[1]": chance(lambda x: 0.2 + 0.5 * x)})
    def binomial(k, n, q):
        return comb(n, k) * q**k * (1 - q) ** (n - k)

    total, moments = 0.0, [0.0, 0.0]
    for theta, w in ((0, 0.6), (1, 0.4)):
        q = sum(v * (0.2 + 0.5 * abs(theta - e)) for e, v in ((0, 0.75), (1, 0.25)))
        total += w * q * sum(binomial(k, 9, q) * ((k + 1 >= 4) - 0.1 * theta) for k in range(10))
        moments = [m + w * sum(binomial(k, 10, q) * k**j for k in range(11)) for j, m in ((1, moments[0]), (2, moments[1]))]
    assert cost(p, world, "P[1]") == pytest.approx(-total, rel=1e-12)
    found = figures(p, world)
    assert found["two"] == pytest.approx(moments[1] - moments[0] ** 2, rel=1e-10)
    assert found["n0"] == pytest.approx(10 * (0.75 * 0.2 + 0.25 * 0.7), rel=1e-12)


def test_who_knows_the_same_does_the_same_and_sums_of_own_signals_are_linear():
    p = problem(HEAD + "player Maker\nrandom v ~ Normal(1, 2)\nfor i in P { random c[i] ~ Normal(0, 1) }\n"
                "for i in P { decide x[i] : Real by P[i] knowing v }\nfor i in P { decide q[i] : Real by P[i] knowing c[i] }\n"
                "decide m : Real by Maker knowing sum(x)\n"
                "for i in P { cost P[i] = m^2 + max(x) * x[i] + q[i] * sum(q) + c[i] * sum(c) }\ncost Maker = sum(x)^2 + sum(q)")
    assert not p.loops and not any(isinstance(s, Others) for s in p.game.sites)
    rules = {"x[1]": rule(lambda v: 2 * v), "q[1]": rule(lambda c: 3 * c + 1), "m": rule(lambda flow: flow / 2)}
    world = natural(p, rules)
    assert cost(p, world, "P[1]") == pytest.approx(100 * 5 + 4 * 5 + (9 + 1 + 9) + 1, rel=1e-9)
    assert cost(p, world, "Maker") == pytest.approx(400 * 5 + 10, rel=1e-9)


@pytest.mark.parametrize(("body", "why"), [
    ("for i in P { decide a[i] : Bool by P[i] knowing i }\nfor i in P { cost P[i] = sum(a) }", "told apart by their number"),
    ("for i in P { decide a[i] : Bool by P[i] knowing nothing }\nfor i in P { cost P[i] = i * sum(a) }", "told apart by their number"),
    ("for i in P { random c[i] ~ Normal(0, 1) }\nfor i in P { decide q[i] : Real by P[i] knowing c[i] }\n"
     "for i in P { cost P[i] = sum(q)^2 }", "not linear"),
    ("for i in P { random c[i] ~ Normal(0, 1) }\nfor i in P { decide a[i] : Bool by P[i] knowing c[i] }\n"
     "for i in P { cost P[i] = sum(a) * sum(a[j] * c[j] for j in P) }", "not linear"),
    ("for i in P { decide a[i] : Bool by P[i] knowing nothing }\nfor i in P { decide b[i] : Real by P[i] knowing sum(a) }\n"
     "for i in P { cost P[i] = b[i] * sum(a) }", "depends on what several"),
    ("for i in P { decide a[i] : Bool by P[i] knowing nothing }\nfor i in P { cost P[i] = a[3] }", "of some of its members"),
    ("for i in P { decide a[i] : Bool by P[i] knowing nothing }\nfor i in P { cost P[i] = sum(a[j] for j in P if j > i) }",
     "by a condition"),
])
def test_what_no_member_can_stand_for_is_left_as_it_is(body, why):
    p = problem(HEAD + body)
    assert p.loops and why in p.apart


@pytest.mark.parametrize("n", [20, 2000])
def test_the_graph_does_not_grow_with_the_number_of_members(n):
    p = problem(HEAD + "for i in P { decide a[i] : Bool by P[i] knowing nothing }\nfor i in P { cost P[i] = (sum(a) >= 1) + a[i] }", N=n)
    assert len(p.game.sites) == 4 and len(p.people) == 1
