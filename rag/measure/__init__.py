"""Questions with evidence -> numbers: `evaluate` runs a set, `metrics` scores ranks and says whether a text
states an answer, `yardstick` what a reader gets, `report` prints it."""
