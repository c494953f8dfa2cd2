"""The command line: a person's hands, which speak HTTP to the gateway and supervise a local stack.

It knows sessions only by the contract and imports no server, no worker and no Temporal client.
"""
