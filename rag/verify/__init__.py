"""A sentence held against its evidence: `claims` is the entry, `checks` and `polarity` are pure checks over
the alignment (`align`) of what both state (`content`)."""
