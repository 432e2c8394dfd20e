"""Model files and what runs them: where they are found (`registry`, `fetch`, `card`), the embedder
(`embedder`, `export`), language models (`llm` opens any of them: llama.cpp in `llama`, `engine`, `native`;
a server in `remote`), how a model runs fastest here (`tuning`)."""
