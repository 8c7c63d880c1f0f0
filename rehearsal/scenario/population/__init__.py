"""The people, shows and events of a live-radio service, from one seed; knows nothing of how they are delivered.

`Population(PopulationSettings(now=…))` gives the catalog (`shows`, `show_changes`), `live_events`, `history` and the
planted `truth`; `faults(settings)` gives records that go wrong on purpose.
"""

from __future__ import annotations

from rehearsal.scenario.population.faults import Fault, faults
from rehearsal.scenario.population.model import Population
from rehearsal.scenario.population.settings import PopulationSettings
from rehearsal.scenario.population.shows import ShowChange
from rehearsal.scenario.population.truth import Reality, Tally, Truth

__all__ = ["Fault", "Population", "PopulationSettings", "Reality", "ShowChange", "Tally", "Truth", "faults"]
