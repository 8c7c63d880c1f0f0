"""What experiments and promotions did, estimated in one way; computes nothing."""

from __future__ import annotations

from contracts.model import Column
from contracts.report import DAY, ReportTable

_ESTIMATE = (
    Column(path="conversions", type="bigint", description="Units that did what is counted."),
    Column(
        path="converted_share",
        type="double",
        description="Conversions of units; like all that follows, null where the verdict refuses to report.",
    ),
    Column(path="converted_low_share", type="double", description="Lower end of the share's 95 % interval (Wilson)."),
    Column(path="converted_high_share", type="double", description="Upper end of the share's 95 % interval (Wilson)."),
    Column(path="difference", type="double", description="Share less that of the control, in absolute terms."),
    Column(path="difference_low", type="double", description="Lower end of its 95 % interval (Newcombe)."),
    Column(path="difference_high", type="double", description="Upper end of its 95 % interval (Newcombe)."),
    Column(
        path="detectable_difference",
        type="double",
        description="Smallest difference that so many units find with a power of 80 %; given also where refused.",
    ),
    Column(
        path="sample_ratio_chi_square",
        type="double",
        description="Chi-square of the units of all variants against an even split; null where none was drawn.",
    ),
    Column(
        path="verdict",
        type="string",
        description=(
            "control, higher, lower, no difference found; or why nothing is reported: too little data, sample ratio "
            "mismatch, no control."
        ),
    ),
)

EXPERIMENT_EFFECTS = ReportTable(
    name="experiment_effects",
    version=1,
    owner="discovery team",
    description="What each variant of each experiment did to listening and following, in the 28 days up to the day.",
    grain="one row for each experiment, outcome and variant met in these days",
    columns=(
        DAY,
        Column(path="experiment_id", type="string", description="The experiment."),
        Column(
            path="outcome",
            type="string",
            description="What is counted in the session of the first exposure: listen (heard something) or follow.",
        ),
        Column(path="variant", type="string", description="The variant; `control` is what others are compared with."),
        Column(
            path="units",
            type="bigint",
            description="Listeners (devices, where drawn by device) who met this variant and no other.",
        ),
        Column(
            path="units_in_two_variants",
            type="bigint",
            description="Units of the experiment that met more than one variant; they are in no row.",
        ),
        *_ESTIMATE,
    ),
    key=("day", "experiment_id", "outcome", "variant"),
)

PROMOTION_EFFECTS = ReportTable(
    name="promotion_effects",
    version=1,
    owner="marketing team",
    description="Whether who was shown a promotion plays its show more often, in the 28 days up to the day.",
    grain="one row for each promotion, promoted show and exposure (exposed, not exposed)",
    columns=(
        DAY,
        Column(path="promotion_id", type="string", description="The promotion."),
        Column(path="show_id", type="string", description="The promoted show; to play it is what is counted."),
        Column(path="exposure", type="string", description="exposed, or not exposed: the control."),
        Column(
            path="units",
            type="bigint",
            description="Listeners, each with the first app session that they had while the promotion ran.",
        ),
        *_ESTIMATE,
    ),
    key=("day", "promotion_id", "show_id", "exposure"),
)

EXPERIMENT_TABLES = (EXPERIMENT_EFFECTS, PROMOTION_EFFECTS)
