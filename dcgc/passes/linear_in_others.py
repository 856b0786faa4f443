"""Whether an expression is linear in what stands for many members of a family."""

from __future__ import annotations

from ..core.expression import Apply, Expression, Moment, Reference, Select, Stack, references, show
from ..core.site import Let
from ..information.dependence import Dependence

LINEAR_WRAPPERS = ("add", "sub", "neg")


def nonlinear(dependence: Dependence, e: Expression, sums: frozenset[str], chancy: frozenset[str]) -> str | None:
    """What keeps an expression from being linear in the sums over others (sites ``sums``, each one of them times the number), in words;
    None where it is. ``chancy``: other sites that move together with those sums."""
    if not sums:
        return None
    return _walk(inlined(dependence, e, sums), sums, chancy)


def inlined(dependence: Dependence, e: Expression, kept: frozenset[str]) -> Expression:
    """Lets put in, but for those that are kept."""
    from ..core.expression import rebuild

    if isinstance(e, Reference):
        site = dependence.sites.get(e.site)
        return inlined(dependence, site.value, kept) if isinstance(site, Let) and e.site not in kept else e
    return rebuild(e, lambda c: inlined(dependence, c, kept))


def _walk(e: Expression, sums: frozenset[str], chancy: frozenset[str]) -> str | None:
    if not references(e) & sums or isinstance(e, Reference):
        return None
    both = sums | chancy
    if isinstance(e, Moment):
        if e.kind != "E" or e.given is not None:
            return show(e)
        return _walk(e.arguments[0], sums, chancy)
    if isinstance(e, (Stack, Select)):
        return next((why for c in e.children if (why := _walk(c, sums, chancy)) is not None), None)
    if not isinstance(e, Apply):
        return show(e)
    a = e.arguments
    if e.function == "mul":
        if (references(a[0]) & sums and references(a[1]) & both) or (references(a[1]) & sums and references(a[0]) & both):
            return show(e)
    elif e.function == "div":
        if references(a[1]) & sums or references(a[1]) & both:
            return show(e)
    elif e.function == "where":
        if references(a[0]) & both:
            return show(e)
    elif e.function not in LINEAR_WRAPPERS:
        return show(e)
    return next((why for c in a if (why := _walk(c, sums, chancy)) is not None), None)
