"""Channels in the core graph: an encoder's decision, the noise, what arrives, and what the information costs.

A channel is made of sites that the rest of the compiler knows already, so that everything that holds for decisions, draws and values
holds for messages too. What is added is the record ``Channel`` (for the ledger), payments on an information density (prices) and
constraints on its mean (average budgets).

Tokens without noise are one choice among all words that the budget allows. Under noise the word that arrives is a draw given the
word sent. Reals are a real decision, brought to the power limit message by message, plus Gaussian noise wide enough for a hard
budget. A private look (``attend``) is a mixed choice among words whose law the price alone restrains: with enough of them any law on
the carrier is reached as closely as wanted.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..semantics import carriers
from ..semantics.channels import noise_arguments
from ..syntax import tree
from . import expression as core
from .scope import Scope, Silenced, Unlowered
from .shapes import Kind
from .site import Actor, Channel, Constraint, Decision, Let, Observation, Payment, Random, Site

if TYPE_CHECKING:
    from .elaborate import Elaborator

LOOKS = 48  # words of a private look that serves a real decision
LOOKS_AT_SEVERAL = 24  # the same where several reals are looked at

NATS = math.log(2)


def budget_of(el: Elaborator, body: tree.ChannelBody, name: str, scope: Scope) -> tuple[float | None, float | None]:
    """(hard, average) budget in bits, each None without one. A hard total over several channels gives each its share."""
    share = el.shares.get(name)
    if body.budget is None:
        return share, None
    value = el.static(body.budget.amount, scope)
    if value is None:
        raise Unlowered("L001", "this budget is not fixed before play", body.budget.span, "write it with parameters and numbers")
    bits = value / NATS if body.budget.unit == "nats" else value
    if math.isinf(bits):
        return share, None
    if body.budget.average and bits > 0:
        return share, bits
    return (bits if share is None else min(bits, share)), None


def totals(el: Elaborator, statements: tuple[tree.Statement, ...]) -> dict[str, float]:
    """Each channel's share of the hard budgets over several: equal parts, of which no channel can use more. Channels under an average
    one are noted in ``averaged``."""
    out: dict[str, float] = {}
    for s in statements:
        body = getattr(s, "body", ())
        if isinstance(body, tuple):
            for name, bits in totals(el, body).items():
                out[name] = min(out.get(name, math.inf), bits)
        if not isinstance(s, tree.TotalBudget):
            continue
        if s.budget.average:
            el.averaged.update(el.base(c) for c in s.channels)
            continue
        value = el.static(s.budget.amount, Scope(indices={}, arguments={}))
        if value is None:
            raise Unlowered("L001", "this budget is not fixed before play", s.budget.span, "write it with parameters and numbers")
        bits = value / NATS if s.budget.unit == "nats" else value
        members = sum(el.members_of(c) for c in s.channels)
        if len(s.channels) > 1:
            el.divided.append((tuple(el.base(c) for c in s.channels), bits))
        for c in s.channels:
            out[el.base(c)] = min(out.get(el.base(c), math.inf), bits / max(members, 1))
    return out


def declare(el: Elaborator, s: tree.Channel, scope: Scope) -> None:
    """A budget of nothing is silence: the channel carries a constant, which nobody needs to be told."""
    hard, _ = budget_of(el, s.body, s.target.name, scope)
    if hard == 0:
        el.silent.add(s.target.name)
        return
    el.declared[s.target.name] = s


def send(el: Elaborator, s: tree.Send, scope: Scope) -> None:
    name = s.target.name
    if name in el.silent:
        return
    if name in el.broken or name not in el.declared:
        raise Silenced
    if any(x.name == name for x in el.channels):
        raise Unlowered("L001", f"`{name}` is sent in several places, which cannot be lowered yet", s.span,
                        "send it once, with what is known there")
    declaration = el.declared[name]
    fill(el, s, scope, declaration.body, s.knowing, (), s.mixed, listeners(declaration), False)


def attend(el: Elaborator, s: tree.Attend, scope: Scope) -> None:
    if s.body.noise is not None and s.body.noise.span.text.strip() != "none":
        raise Unlowered("L001", "a private look with noise of its own cannot be lowered yet", s.body.noise.span,
                        "leave the noise out: the look may have any law that the price allows")
    fill(el, s, scope, s.body, (*s.to, *s.knowing), s.knowing, True, (s.player.span.text.strip(),), True)


def listeners(s: tree.Channel) -> tuple[str, ...]:
    return tuple(" ".join(e.span.text.split()) for e in (*s.receivers, *s.body.heard_by))


def fill(el: Elaborator, s: tree.Send | tree.Attend, scope: Scope, body: tree.ChannelBody, knowing: tuple[tree.Expression, ...],
         given: tuple[tree.Expression, ...], mixed: bool, heard: tuple[str, ...], attention: bool) -> None:
    """The sites, the price and the constraint of one channel."""
    name = s.target.name
    type = el.checked.symbols[name].type
    assert type is not None
    shape = type.shape
    if isinstance(type.type, tree.FunctionType):  # its coefficients are the reals of the channel
        basis = el.functions[name] = el.functions[f"sent({name})"] = el.basis(type.type)
        shape = (basis.coefficients,)
    actor = el.actor(s.player, scope)
    el.deciding = actor
    el.one_policy_a_stage(name, knowing, s.span)
    observations = tuple(dict.fromkeys(o for k in knowing for o in el.observe(k, scope)))
    beforehand = tuple(dict.fromkeys(o for k in given for o in el.observe(k, scope)))
    hard, average = budget_of(el, body, name, scope)
    if attention and hard == 0:
        el.silent.add(name)
        return
    price = price_of(el, body, scope)
    made = _Made(el, s, scope, name, actor, observations, mixed)
    if type.kind == "tokens":
        channel = tokens(made, body, type.shape, type.size or 1, hard)
    elif attention:
        channel = look(made, shape, hard)
    else:
        informative = average is not None or price is not None or name in el.averaged
        channel = reals(made, body, shape, hard, informative)
    information = replace(channel.information, source=tuple(o.expression for o in observations),
                          given=tuple(o.expression for o in beforehand))
    stated = average if average is not None and (hard is None or average <= hard) else hard
    channel = replace(channel, listeners=heard, price=price, attention=attention, information=information, budget=stated,
                      average=stated is not None and stated == average)
    declaration = el.declared.get(name)
    el.channels.append(replace(channel, declared=s.span if declaration is None else declaration.span))
    if body.price is not None and price is not None:
        payer = own_team(el, actor) if body.price.paid_by is None else el.actor(body.price.paid_by, scope)
        cost = core.Apply("mul", (price, information), span=s.span)
        el.pay(Payment(f"price of {name}", scope.axes, scope.guards, s.span, payer, cost, information, price))
    if average is not None:
        excess = core.Apply("sub", (information, core.Constant(average * NATS)), span=s.span)
        el.constraints.append(Constraint(name, f"rate({name}) <= {average:g} bits", own_team(el, actor), excess, False, scope.axes,
                                         body.budget.span if body.budget is not None else s.span))


def total_budget(el: Elaborator, s: tree.TotalBudget, scope: Scope) -> None:
    """A budget over several channels, once all have been sent: hard ones were shared out beforehand, average ones have one
    multiplier."""
    names = [el.base(c) for c in s.channels]
    if any(n in el.broken for n in names):
        raise Silenced
    if not s.budget.average:
        return
    if any(n in el.time.made for n in names):
        raise Unlowered("L001", "an average budget over channels of stages cannot be lowered yet", s.span)
    used = [c for c in el.channels if c.name in names]
    if not used:
        return
    if any(c.axes for c in used):
        raise Unlowered("L001", "an average budget over families of channels cannot be lowered yet", s.span)
    value = el.static(s.budget.amount, scope)
    if value is None:
        raise Unlowered("L001", "this budget is not fixed before play", s.budget.span)
    nats = value if s.budget.unit == "nats" else value * NATS
    total: core.Expression = used[0].information
    for c in used[1:]:
        total = core.Apply("add", (total, c.information))
    excess = core.Apply("sub", (total, core.Constant(nats)), span=s.span)
    label = f"total({', '.join(names)})"
    el.constraints.append(Constraint(label, f"rate of {label} <= {nats / NATS:g} bits", own_team(el, used[0].sender), excess, False,
                                     (), s.span))


def own_team(el: Elaborator, actor: Actor) -> Actor:
    """The sender's team if it is in exactly one, else the sender."""
    teams = [t for t in el.checked.teams.values() if any(n == actor.name for n, _ in t.members)]
    return Actor(teams[0].name) if len(teams) == 1 else actor


def price_of(el: Elaborator, body: tree.ChannelBody, scope: Scope) -> core.Expression | None:
    """Cost units per nat."""
    if body.price is None:
        return None
    amount = el.expression(body.price.amount, scope)
    return core.Apply("div", (amount, core.Constant(NATS)), span=amount.span) if body.price.unit == "bit" else amount


class _Made:
    """Makes the sites of one channel, each with the loop's axes."""

    def __init__(self, el: Elaborator, s: tree.Send | tree.Attend, scope: Scope, name: str, actor: Actor,
                 observations: tuple[Observation, ...], mixed: bool):
        self.el, self.s, self.scope, self.name, self.actor = el, s, scope, name, actor
        self.observations, self.mixed = observations, mixed

    def own(self, site: str) -> core.Expression:
        """A site's value for the member of the loop."""
        reference = core.Reference(site, span=self.s.span)
        if not self.scope.axes:
            return reference
        members = tuple(core.Member(a) for a in self.scope.axes)
        return core.Select(reference, members, (False,) * len(members), span=self.s.span)

    def add(self, site: Site, kind: Kind) -> core.Expression:
        self.el.add(site, kind)
        return self.own(site.name)

    def choice(self, site: str, shape: tuple[int, ...], seen_as: Kind | None = None) -> core.Expression:
        d = Decision(site, self.scope.axes, self.scope.guards, self.s.span, "choice", shape, None, None, (), self.actor,
                     self.observations, self.mixed, self.name)
        return self.add(d, seen_as or Kind("choice", shape, shape[-1]))

    def real(self, site: str, shape: tuple[int, ...], bound: float | None = None) -> core.Expression:
        low = high = None
        if bound is not None:
            low, high = core.Constant(-bound, span=self.s.span), core.Constant(bound, span=self.s.span)
        d = Decision(site, self.scope.axes, self.scope.guards, self.s.span, "real", shape, low, high, (), self.actor,
                     self.observations, self.mixed, self.name)
        return self.add(d, Kind("real", shape))

    def let(self, site: str, value: core.Expression) -> core.Expression:
        return self.add(Let(site, self.scope.axes, self.scope.guards, self.s.span, value), self.el.kind(value))

    def random(self, site: str, law: str, arguments: tuple[core.Expression, ...], shape: tuple[int, ...],
               kind: Kind) -> core.Expression:
        return self.add(Random(site, self.scope.axes, self.scope.guards, self.s.span, law, arguments, shape), kind)

    def channel(self, **parts: object) -> Channel:
        defaults: dict = {
            "name": self.name, "axes": self.scope.axes, "sender": self.actor, "listeners": (), "noise": "none", "power": math.inf,
            "sd": 0.0, "p": 0.0, "price": None, "stop": False, "attention": False, "words": (), "span": self.s.span,
            "lengths": None, "budget": None, "average": False}
        return Channel(**{**defaults, **parts})

    def information(self, message: core.Expression, signal: core.Expression | None = None, sd: float = 0.0,
                    kept: float = 1.0) -> core.Information:
        return core.Information(self.name, message, (), (), signal, sd, kept, span=self.s.span)


def noise_of(el: Elaborator, body: tree.ChannelBody, scope: Scope) -> tuple[str | None, dict[str, float]]:
    """The noise that the text names, and its numbers."""
    if body.noise is None:
        return None, {}
    node = body.noise.function if isinstance(body.noise, tree.Call) else body.noise
    assert isinstance(node, tree.Name)
    numbers = {}
    for key, e in noise_arguments(body.noise).items():
        value = el.static(e, scope)
        if value is None:
            raise Unlowered("L001", "this noise is not fixed before play", e.span, "write it with parameters and numbers")
        numbers[key] = value
    return node.name, numbers


# ---------------------------------------------------------------- tokens


def tokens(made: _Made, body: tree.ChannelBody, shape: tuple[int, ...], vocabulary: int, budget: float | None) -> Channel:
    length = shape[0]
    stop = body.stop is not None
    noise, numbers = noise_of(made.el, body, made.scope)
    p = numbers.get("p", 0.0)
    noisy = noise in ("erasure", "bsc")
    hard = math.inf if budget is None else budget
    nominal = carriers.nominal_bits(length, vocabulary, stop)
    if nominal > math.log2(carriers.LARGEST_NOISY if noisy else carriers.LARGEST_ALPHABET):
        if noisy:
            return long_noisy_tokens(made, length, vocabulary, nominal, stop, str(noise), p, hard)
        if hard > math.log2(carriers.LARGEST_ALPHABET):
            return long_tokens(made, length, min(vocabulary, carriers.words_within(hard / length)), vocabulary, nominal, stop)
        words = carriers.words(length, vocabulary, stop, carriers.words_within(hard))
    else:
        words = carriers.words(length, vocabulary, stop)
    if noisy:
        received, rows = (words, carriers.binary_symmetric(words, words, p)) if noise == "bsc" else carriers.erasing(words, p)
        if carriers.discrete_capacity(rows) > hard + 1e-9 and len(words) > carriers.words_within(hard):
            words = carriers.far_apart(words, carriers.words_within(hard))
            received, rows = (carriers.words(length, vocabulary, False), ()) if noise == "bsc" else carriers.erasing(words, p)
            rows = rows or carriers.binary_symmetric(words, received, p)
        sent = made.choice(f"sent({made.name})", (len(words),))
        row = core.Select(core.Constant(rows), (sent,), (True,), span=made.s.span)
        arrived = made.random(made.name, "Categorical", (row,), (), Kind("category", (), len(received)))
        made.el.decoders[made.name] = lambda e: core.Select(
            core.Constant(carriers.one_hot_words(received, vocabulary)), (e,), (False,), span=made.s.span)
        made.el.decoders[f"sent({made.name})"] = lambda e: core.Select(
            core.Constant(carriers.one_hot_words(words, vocabulary)), (e,), (True,), span=made.s.span)
        capacity = min(carriers.discrete_capacity(rows), math.log2(len(words)))
        return made.channel(carrier="tokens", shape=(length, vocabulary), noise=noise, p=p,
                            nominal=nominal, capacity=capacity, words=tuple(words), encoder=f"sent({made.name})", sent=sent,
                            message=arrived, information=made.information(arrived), stop=stop)
    if len(words) > carriers.words_within(hard):
        words = words[:carriers.words_within(hard)]
    sent = made.choice(made.name, (len(words),))
    made.el.decoders[made.name] = lambda e: core.Select(
        core.Constant(carriers.one_hot_words(words, vocabulary)), (e,), (True,), span=made.s.span)
    lengths = core.Select(core.Constant(tuple(float(sum(x > 0 for x in w)) for w in words)), (sent,), (True,)) if stop else None
    return made.channel(carrier="tokens", shape=(length, vocabulary), nominal=nominal, capacity=math.log2(len(words)), 
                        words=tuple(words), encoder=made.name, sent=sent, message=sent, information=made.information(sent), stop=stop,
                        lengths=lengths)


def long_tokens(made: _Made, length: int, symbols: int, vocabulary: int, nominal: float, stop: bool) -> Channel:
    """Too many words to enumerate: one choice a position. A hard budget is shared out evenly over the positions."""
    if stop:
        raise Unlowered("L001", "a soft STOP on so many words cannot be lowered yet", made.s.span, "carry reals: Message(L, d)")
    if made.scope.axes and length * symbols > 0 and made.scope.axes[0].size > 8:
        raise Unlowered("L001", "so many words in a large family cannot be lowered yet", made.s.span)
    sent = made.choice(made.name, (length, symbols), Kind("real", (length, symbols)))
    made.el.decoders[made.name] = lambda e: e
    return made.channel(carrier="tokens", shape=(length, vocabulary), nominal=nominal, capacity=length * math.log2(symbols),
                        encoder=made.name, sent=sent, message=sent,
                        information=made.information(sent))


def long_noisy_tokens(made: _Made, length: int, vocabulary: int, nominal: float, stop: bool, noise: str, p: float,
                      hard: float) -> Channel:
    """Tokens through noise with too many words for a matrix of them: one choice a position, each position flipped or lost by itself.

    Of a memoryless channel's tokens no more can be used than the hard budget has room for at a token's capacity; the others say
    nothing and are not sent."""
    if stop:
        raise Unlowered("L001", "STOP on so many noisy words cannot be lowered yet", made.s.span, "carry reals: Message(L, d)")
    if made.scope.axes:
        raise Unlowered("L001", f"more than {carriers.LARGEST_NOISY} noisy words in a large family cannot be lowered yet", made.s.span,
                        "carry fewer tokens")
    each = carriers.token_capacity(noise, vocabulary, p)
    used = length if length * each <= hard + 1e-9 else math.floor(hard / each + 1e-9)
    if used == 0:
        raise Unlowered("L001", f"a budget of {hard:g} bits has no room for a single token of {each:g} bits", made.s.span,
                        "carry a smaller vocabulary, or say it is an average")
    shape = (used, vocabulary)
    sent = made.choice(f"sent({made.name})", shape, Kind("real", shape))
    if noise == "bsc":
        flipped = made.random(f"flipped({made.name})", "Bernoulli", (core.Constant(p),), (used,), Kind("bool", (used,), 2))
        other = core.Apply("sub", (core.Constant(1.0), core.Apply("mul", (core.Constant(2.0), sent))))  # from a token to the other one
        message = core.Apply("add", (sent, core.Apply("mul", (core.Apply("rows", (flipped, sent)), other))), span=made.s.span)
    else:
        heard = made.random(f"heard({made.name})", "Bernoulli", (core.Constant(1 - p),), (used,), Kind("bool", (used,), 2))
        message = core.Apply("mask", (sent, core.Apply("rows", (heard, sent))), span=made.s.span)
    arrived = made.let(made.name, message)
    made.el.decoders[made.name] = lambda e: e
    kept, turned = (1.0, p) if noise == "bsc" else (1 - p, 0.0)
    return made.channel(carrier="tokens", shape=(length, vocabulary), noise=noise, p=p, nominal=nominal, capacity=used * each,
                        encoder=f"sent({made.name})", sent=sent, message=arrived,
                        information=replace(made.information(sent, kept=kept), flipped=turned))


# ---------------------------------------------------------------- private looks


def look(made: _Made, shape: tuple[int, ...], budget: float | None) -> Channel:
    """Any law on the reals, as a mixed choice among words: what they look like nobody else sees."""
    scalars = sum(max(1, math.prod(o.shape)) for o in made.observations if o.size is None)
    count = LOOKS if scalars <= 1 else LOOKS_AT_SEVERAL
    if budget is not None:
        count = min(count, carriers.words_within(budget))
    sent = made.choice(made.name, (count,))
    capacity = math.log2(count) if budget is not None else math.inf
    return made.channel(carrier="reals", shape=shape, nominal=math.inf, capacity=capacity, encoder=made.name,
                        sent=sent, message=sent, information=made.information(sent))


def fit_looks(el: Elaborator) -> None:
    """A look that only finite decisions use needs a word for each combination of them and no more: the one that recommends it
    (Matejka and McKay 2015, lemma 1)."""
    for c in el.channels:
        if not c.attention or c.carrier == "tokens" or c.axes:
            continue
        users = [s for s in el.sites if isinstance(s, Decision) and any(c.name in core.references(o.expression) for o in s.observations)]
        if not users or not all(u.finite and len(u.observations) == 1 and not u.axes for u in users):
            continue
        d = next(s for s in el.sites if s.name == c.name)
        assert isinstance(d, Decision)
        count = min(d.shape[-1], math.prod(u.options for u in users))
        el.resize(c.name, count)


# ---------------------------------------------------------------- reals


def reals(made: _Made, body: tree.ChannelBody, shape: tuple[int, ...], hard: float | None, informative: bool) -> Channel:
    """``informative``: what the message tells is priced or held to an average."""
    noise, numbers = noise_of(made.el, body, made.scope)
    dimensions = math.prod(shape)
    if noise == "none" and hard is not None:
        raise Unlowered("L001", "reals without noise tell more than any budget", made.s.span,
                        "leave the noise to the compiler, or carry tokens")
    if noise is None:
        noise = "awgn" if hard is not None else "gaussian" if informative else "none"
    power, sd = math.inf, 0.0
    if noise == "awgn" or hard is not None:
        power = numbers.get("power", 1.0)
        sd = numbers.get("sd", 0.0 if hard is not None else 1.0)
        if hard is not None and carriers.gaussian_capacity(dimensions, power, sd) > hard:
            if math.isinf(power):
                raise Unlowered("L001", "a hard budget needs a limit to the power", made.s.span,
                                "write `awgn(power = 1)`, or `on average`")
            sd = carriers.noise_for_budget(hard, dimensions, power)
    elif noise == "gaussian":
        sd = 1.0  # a learned spread: only the ratio to the signal, whose scale is learned, means anything
    if informative and sd == 0.0:
        raise Unlowered("L001", "information through reals without noise is infinite", made.s.span,
                        "leave the noise to the compiler: it is gaussian where information is priced")
    stop = body.stop is not None
    single = dimensions == 1 and not stop
    own_shape = () if single else shape
    arrives = noise == "none" and sd == 0.0 and not stop
    lengths = None
    if stop:
        raw = made.real(f"raw({made.name})", (shape[0], shape[1] + 1))
        sent = made.let(f"sent({made.name})", core.Apply("faded", (raw, core.Constant(min(power, 1e300)))))
        lengths = core.Apply("length", (raw,), span=made.s.span)
    elif single:
        bound = math.sqrt(power) if math.isfinite(power) else None
        sent = made.real(made.name if arrives else f"sent({made.name})", (), bound)
    elif math.isfinite(power):
        raw = made.real(f"raw({made.name})", shape)
        sent = made.let(f"sent({made.name})", core.Apply("project", (raw, core.Constant(power))))
    else:
        sent = made.real(made.name if arrives else f"sent({made.name})", shape)
    encoder = f"raw({made.name})" if stop or (not single and math.isfinite(power)) else made.name if arrives else f"sent({made.name})"
    message = sent
    if sd > 0:
        draw = made.random(f"noise({made.name})", "Normal", (core.Constant(0.0), core.Constant(1.0)), own_shape,
                           Kind("real", own_shape))
        message = core.Apply("add", (sent, core.Apply("mul", (core.Constant(sd), draw))), span=made.s.span)
    if noise == "erasure":
        per_token = (shape[0],) if len(shape) == 2 and not single else ()
        heard = made.random(f"heard({made.name})", "Bernoulli", (core.Constant(1 - numbers["p"]),), per_token,
                            Kind("bool", per_token, 2))
        seen = made.let(f"unerased({made.name})", message) if message is not sent else sent
        message = core.Apply("mask", (seen, heard if not per_token else core.Apply("rows", (heard, seen))), span=made.s.span)
    if not arrives:
        message = made.let(made.name, message)
    made.el.decoders[made.name] = (lambda e: wrapped(e, shape)) if single and shape else lambda e: e
    capacity = carriers.gaussian_capacity(dimensions, power, sd) * (1 - numbers.get("p", 0.0))
    return made.channel(carrier="reals", shape=shape, noise=noise, power=power, sd=sd, p=numbers.get("p", 0.0),
                        nominal=math.inf, capacity=min(capacity, hard if hard is not None else math.inf),
                        stop=stop, encoder=encoder, sent=sent, message=message, lengths=lengths,
                        information=made.information(message, sent if sd > 0 else None, sd, 1 - numbers.get("p", 0.0)))


def wrapped(e: core.Expression, shape: tuple[int, ...]) -> core.Expression:
    """A single real in the shape that the text gives it."""
    for _ in shape:
        e = core.Stack((e,), span=e.span)
    return e
