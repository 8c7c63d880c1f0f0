{{ outside_their_intervals("promotion_effects") }}
