"""The contract as data: JSON Schemas of frames, operations, bodies and problems, and the document made with them."""
