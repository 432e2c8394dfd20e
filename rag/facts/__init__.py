"""What text states, as values: numbers, units, dates, periods, amounts, ranges, references, names.

`values.read` reads all values of a text with their offsets, `values.relation` says where one lies against
another; `quantity.compare` holds a claimed one against a source's."""
