"""What text states, as values: numbers, units, dates, periods, amounts, quantities, references, names.

`quantities.extract` reads all values of a sentence with their offsets; how two of them compare is in
`quantity`."""
