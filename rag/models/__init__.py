"""Model files and what runs them: where they are found and fetched (`registry`), the embedder (`embedder`,
`export`), language models (`llm` opens any of them: llama.cpp through `engine` and `native`, a server in
`remote`), how a model runs fastest here (`tuning`)."""
