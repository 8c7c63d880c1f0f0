"""What is planted on purpose: effects of experiments and promotions, a surge, storms of bots; draws nothing."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment with half of its listeners in `treatment` (drawn once for each listener), half in `control`.

    `outcome` is what a session with an exposure does or does not: `listen` (it plays something) or `follow` (it follows
    somebody). Probabilities are for a whole session of a listener who meets no other experiment on that outcome
    (others move both variants alike); sessions that are cut off at an end of the data show less.
    """

    id: str
    outcome: str
    control_probability: float
    treatment_probability: float

    @property
    def lift(self) -> float:
        """Treatment's probability less control's, in absolute terms."""
        return self.treatment_probability - self.control_probability


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """A promotion of one show, drawn for each session by chance, so that sessions without it are its comparison.

    Probabilities are that the session plays the promoted show, shown the promotion or not. Nothing else leads a
    listener to a promoted show.
    """

    id: str
    show_id: str
    unexposed_probability: float
    exposed_probability: float

    @property
    def lift(self) -> float:
        """Probability with the promotion less that without, in absolute terms."""
        return self.exposed_probability - self.unexposed_probability


@dataclass(frozen=True, kw_only=True)
class Surge:
    """Many real listeners at one small show at once: what a trending list should find. Times in epoch milliseconds."""

    show_id: str
    start_ms: int
    end_ms: int
    listen_share: float


@dataclass(frozen=True, kw_only=True)
class Storm:
    """Few accounts that like and play one show without end: what a trending list should not find."""

    show_id: str
    start_ms: int
    end_ms: int
    bot_ids: tuple[str, ...]


LISTEN_PROBABILITY = 0.60
FOLLOW_PROBABILITY = 0.08
EXPOSURE_PROBABILITY = 0.6
"""Chance that a session meets an experiment (for each experiment apart)."""
PROMOTION_PROBABILITY = 0.3
"""Chance that a session is shown a promotion (for each promotion apart)."""

EXPERIMENTS = (
    Experiment(
        id="exp-rank-3",
        outcome="listen",
        control_probability=LISTEN_PROBABILITY,
        treatment_probability=LISTEN_PROBABILITY + 0.10,
    ),
    Experiment(
        id="exp-follow-prompt-1",
        outcome="follow",
        control_probability=FOLLOW_PROBABILITY,
        treatment_probability=FOLLOW_PROBABILITY + 0.06,
    ),
    Experiment(
        id="exp-player-colour-2",
        outcome="follow",
        control_probability=FOLLOW_PROBABILITY,
        treatment_probability=FOLLOW_PROBABILITY,
    ),
)
RANKING_EXPERIMENT = EXPERIMENTS[0]


def promotions(shows: tuple[str, str]) -> tuple[Promotion, ...]:
    """The promotions of the two promoted shows: the first works, the second does not."""
    return (
        Promotion(id="promo-12", show_id=shows[0], unexposed_probability=0.02, exposed_probability=0.12),
        Promotion(id="promo-13", show_id=shows[1], unexposed_probability=0.02, exposed_probability=0.02),
    )
