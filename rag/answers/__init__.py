"""Evidence -> the answer: the prompt, the reading, what is composed, part by part, or refused.

`compose.Basis` is what every answer rests on."""
