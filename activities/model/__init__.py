"""Any language model behind litellm, as the adapter of the port `Model`: one paid answer per step.

Only `chat` imports litellm, which costs seconds and 175 MB, so only the model worker imports this.
"""
