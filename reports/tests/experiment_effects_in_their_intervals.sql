{{ outside_their_intervals("experiment_effects") }}
