"""Wire protocols without I/O: bytes to a dict by the model's shapes, and back. Source: the Smithy specifications."""
