"""What depends on a language: sentences and search tokens of English and Chinese (`text`), the words by which
wordings are recognised (`cues`), lay words for professional ones (`lexicon`)."""
