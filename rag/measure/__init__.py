"""Questions with evidence -> numbers: `evaluate` runs a set, `metrics` scores ranks, `scoring` says whether a
text states an answer, `yardstick` what a reader gets, `report` prints it; `tune` fits the order of passages
to a user's questions."""
