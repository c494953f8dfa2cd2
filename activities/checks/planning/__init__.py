"""Which checks a repository has, and how their tools are asked; read at the base commit."""
