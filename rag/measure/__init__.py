"""Questions with evidence -> numbers: `evaluate` runs a set, `metrics` and `scoring` judge retrieval and
answers, `yardstick` what a reader gets, `report` prints it; `tune` fits the order of passages to a user's
questions."""
