"""What the compiler found out about a game, in sentences, for ``dcgc show``."""

from __future__ import annotations

from ..information.closed_forms import closed_forms
from ..lower.plans import natural_dims
from ..lower.problem import Problem


def explain(problem: Problem) -> list[str]:
    """Sentences on information, closed forms and expectations."""
    lines = []
    for d in problem.game.decisions:
        information = problem.reduction.information.get(d.name)
        if information is None:
            lines.append(f"{d.name}: what it knows is no set of coordinates ({problem.reduction.reasons.get(d.name, '')})")
        else:
            lines.append(f"{d.name} by {problem.decider(d).label} knows {', '.join(information.dims) or 'nothing'}")
    forms = closed_forms(problem.game, problem.dependence, {d.name: problem.pays(problem.decider(d)) for d in problem.game.decisions})
    for form in forms.values():
        lines.append(f"closed-form best response: {form.text}")
    for c in problem.reduction.coordinates.values():
        if c.role == "observation" and c.site is not None and c.site != c.name:
            lines.append(f"{c.name} replaces its noise {c.site} as a coordinate (static reduction)")
    continuous, points, vector = natural_dims(problem)
    if vector:
        lines.append("expectations over scrambled Sobol points: the draws are too many for a product of rules")
    elif continuous == 0:
        lines.append(f"expectations by enumeration of at most {points} outcomes")
    else:
        lines.append(f"expectations over at most {continuous} continuous draw{'s' * (continuous > 1)}"
                     + (f" and {points} finite outcomes" if points > 1 else "") + ", by quadrature")
    kind = "one team: costs are minimised" if problem.is_team else "a game: an equilibrium is sought"
    if problem.leaders:
        kind = f"{' and '.join(p.label for p in problem.leaders)} announce{'s' * (len(problem.leaders) == 1)} beforehand what " \
               "will be done, and the others respond"
    lines.append(kind + ("; payments jump with what is decided" if problem.has_jumps else ""))
    return lines
