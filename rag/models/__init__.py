"""Model files and what runs them: which there are by name and where they are found (`registry`,
`models.toml`), how they get here (`fetch`), the embedder (`embedder`, `export`, `packed`), language models
(`llm` opens any of them: llama.cpp through `engine` and `native`, a server in `remote`)."""
