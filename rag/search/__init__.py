"""Question -> passages -> evidence -> whether it suffices.

`retrieve` finds passages in two stages (a wide pool, then the learned order of `ranker`), `evidence` chooses
sentences, `sufficiency` weighs whether they answer, `explain` says why."""
