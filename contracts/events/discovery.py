"""What was shown to whom, and why: event contracts; declares, and does nothing."""

from __future__ import annotations

from contracts.event import Event
from contracts.model import Column

SHOW_IMPRESSION = Event(
    type="show_impression",
    version=1,
    owner="discovery team",
    description="A show was shown to somebody in a list.",
    columns=(
        Column(path="show.id", type="string", description="The show.", required=True, examples=("show-1041",)),
        Column(
            path="impression.place",
            type="string",
            description="The list or surface that showed it.",
            required=True,
            examples=("home", "search", "category", "notification"),
        ),
        Column(
            path="impression.rank",
            type="int",
            description="Place in the list, the first being 1.",
            examples=(1, 4),
        ),
        Column(
            path="impression.promotion_id",
            type="string",
            description="The promotion that placed it there, if one did.",
            examples=("promo-12",),
        ),
        Column(
            path="impression.experiment_id",
            type="string",
            description="The experiment that ordered the list, if one did.",
            examples=("exp-rank-3",),
        ),
        Column(
            path="impression.variant",
            type="string",
            description="The experiment's variant that the listener had.",
            examples=("control", "treatment"),
        ),
    ),
)

PROMOTION_EXPOSURE = Event(
    type="promotion_exposure",
    version=1,
    owner="marketing team",
    description="A promotion was shown to somebody.",
    columns=(
        Column(
            path="promotion.id",
            type="string",
            description="The promotion.",
            required=True,
            examples=("promo-12",),
        ),
        Column(
            path="promotion.placement",
            type="string",
            description="Where it was shown.",
            examples=("banner", "home", "player"),
        ),
        Column(
            path="promotion.creative",
            type="string",
            description="Which picture and text it carried.",
            examples=("creative-a",),
        ),
        Column(
            path="promotion.cost",
            type="decimal(12,4)",
            description="What this exposure costs, in the currency given.",
            examples=("0.0125",),
        ),
        Column(
            path="promotion.currency",
            type="string",
            description="Currency as an ISO 4217 code.",
            examples=("EUR", "USD"),
        ),
        Column(
            path="show.id",
            type="string",
            description="The show that it promotes, if it is one.",
            examples=("show-1041",),
        ),
    ),
)

EXPERIMENT_EXPOSURE = Event(
    type="experiment_exposure",
    version=1,
    owner="discovery team",
    description="Somebody met an experiment for the first time in a session.",
    columns=(
        Column(
            path="experiment.id",
            type="string",
            description="The experiment.",
            required=True,
            examples=("exp-rank-3",),
        ),
        Column(
            path="experiment.variant",
            type="string",
            description="The variant that was drawn.",
            required=True,
            examples=("control", "treatment"),
        ),
        Column(
            path="experiment.unit",
            type="string",
            description="What was drawn by.",
            examples=("user", "device"),
        ),
    ),
)

EVENTS: tuple[Event, ...] = (
    SHOW_IMPRESSION,
    PROMOTION_EXPOSURE,
    EXPERIMENT_EXPOSURE,
)
