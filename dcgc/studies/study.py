"""What studies of protocols share: who hears a channel, how a message is put into a listener's ear, and plays on fixed samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from ..core.expression import Apply, Expression, Reference, references
from ..core.site import Channel, Decision, Let, Random
from ..lower.plans import finite_size, sampled_grid
from ..lower.problem import Person, Problem
from ..lower.rollout import Rollout, rollout
from .mistake import StudyProblem


def channels_named(problem: Problem, name: str | None) -> tuple[Channel, ...]:
    """The channels of a name (of a family: all its members'); without a name those of the only one there is. Raises StudyProblem."""
    names = list(dict.fromkeys(base(c) for c in problem.game.channels))
    if name is None:
        if len(names) != 1:
            raise StudyProblem(f"the game has {'no channel' if not names else 'several channels: say which of ' + ', '.join(names)}")
        name = names[0]
    found = tuple(c for c in problem.game.channels if name in (c.name, base(c)))
    if not found:
        raise StudyProblem(f"there is no channel {name!r}; there {'is none' if not names else 'are ' + ', '.join(names)}")
    if found[0].carrier == "tokens" and found[0].noise != "none" and not found[0].words:
        raise StudyProblem(f"{name} carries more noisy words than can be numbered")
    if found[0].axes:
        raise StudyProblem(f"{name} is a channel of a large family, whose messages cannot be told apart yet")
    return found


def base(channel: Channel) -> str:
    """The name of a channel without its member."""
    return channel.name.split("[", 1)[0]


@dataclass(frozen=True)
class Ear:
    """How a channel is heard. Messages come as words from 0 (n,), as tokens (n, L) where there are too many words to number, or as
    reals (n, D), after which a channel that erases has one column more for each part that can be lost: 1 where it was heard."""

    problem: Problem
    channel: Channel

    @cached_property
    def site(self) -> str:
        assert isinstance(self.channel.message, Reference)
        return self.channel.message.site

    @cached_property
    def erasing(self) -> tuple[str, str] | None:
        """The sites of what is erased, and of whether it is heard."""
        if self.channel.noise != "erasure" or self.words:
            return None
        site = self.problem.dependence.sites[self.site]
        assert isinstance(site, Let) and isinstance(site.value, Apply)
        seen, flag = site.value.arguments
        flag = flag.arguments[0] if isinstance(flag, Apply) else flag
        assert isinstance(seen, Reference) and isinstance(flag, Reference)
        return seen.site, flag.site

    @property
    def words(self) -> bool:
        return self.channel.carrier == "tokens" or self.channel.attention

    @cached_property
    def count(self) -> int:
        """How many different words can be heard."""
        site = self.problem.dependence.sites[self.site]
        if isinstance(site, Decision):
            return int(site.options) ** int(np.prod(site.shape[:-1]))
        return finite_size(self.problem, self.site)

    @property
    def numbered(self) -> bool:
        """Whether words have numbers (and are no sequences of tokens)."""
        site = self.problem.dependence.sites[self.site]
        return self.words and (isinstance(site, Random) or len(site.shape) == 1)  # type: ignore[attr-defined]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a message of reals."""
        return () if int(np.prod(self.channel.shape)) == 1 and not self.channel.stop else self.channel.shape

    @cached_property
    def listeners(self) -> tuple[Decision, ...]:
        """The decisions that hear the channel, encoders of other channels too."""
        marks = {self.site, *(self.erasing[1:] if self.erasing else ())}
        return tuple(d for d in self.problem.game.decisions if any(self.told(o.expression) & marks for o in d.observations))

    def told(self, e: Expression) -> frozenset[str]:
        """The sites that an observation mentions, through lets but for messages themselves."""
        out: set[str] = set()
        for r in references(e):
            out.add(r)
            site = self.problem.dependence.sites[r]
            if isinstance(site, Let) and r != self.site:
                out |= self.told(site.value)
        return frozenset(out)

    @cached_property
    def people(self) -> tuple[Person, ...]:
        """Who decides on what is heard."""
        return tuple(dict.fromkeys(self.problem.decider(d) for d in self.listeners))

    def heard(self, play: Rollout) -> NDArray[Any]:
        """What the listeners hear in a play."""
        if self.erasing is None:
            return np.asarray(play.arrived(self.channel))
        flags = np.asarray(play.value(self.erasing[1])).reshape(play.samples, -1)
        return np.concatenate([np.asarray(play.value(self.erasing[0])).reshape(play.samples, -1), flags], axis=1)

    def replaced(self, messages: Any) -> dict[str, Array]:
        """The sites that a play must replace, so that these messages are heard."""
        m = jnp.asarray(messages)
        site = self.problem.dependence.sites[self.site]
        if self.words:
            if isinstance(site, Random):
                return {self.site: m + 1.0}
            assert isinstance(site, Decision)
            return {self.site: (m[..., None] == jnp.arange(site.options)) * 1.0}
        if self.erasing is None:
            return {self.site: m.reshape((-1, *self.shape))}
        width = int(np.prod(self.channel.shape))
        flags = m[:, width:]
        if flags.shape[1] == 0:  # nothing is lost
            flags = jnp.ones((len(m), int(np.prod(self.flag_shape))))
        return {self.erasing[0]: m[:, :width].reshape((-1, *self.shape)), self.erasing[1]: flags.reshape((-1, *self.flag_shape))}

    @property
    def flag_shape(self) -> tuple[int, ...]:
        assert self.erasing is not None
        site = self.problem.dependence.sites[self.erasing[1]]
        assert isinstance(site, Random)
        return site.shape


@dataclass(frozen=True)
class Stage:
    """A profile on fixed samples of nature, to be played again with other messages. ``profile`` has no best response in it."""

    problem: Problem
    profile: Mapping[str, Any]
    samples: int
    seed: int

    @cached_property
    def grid(self) -> Any:
        return sampled_grid(self.problem, self.samples, self.seed)

    @cached_property
    def plain(self) -> Rollout:
        """The play as it is."""
        return self.play({})

    def play(self, replaced: Mapping[str, Any]) -> Rollout:
        """The play with the values of some sites replaced; all draws are the same."""
        return rollout(self.problem, self.profile, self.grid, self.seed, replaced)

    def cost(self, person: Person, replaced: Mapping[str, Any] | None = None) -> NDArray[np.float64]:
        """The costs of a player at every sample."""
        play = self.plain if not replaced else self.play(replaced)
        return np.asarray(play.cost(person), dtype=np.float64)
