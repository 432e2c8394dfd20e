"""A question and its history -> what is asked: parts, names, constraints, the kind of answer expected;
`followup` completes a question from the conversation, `rewriting` has a model do it where code cannot."""
