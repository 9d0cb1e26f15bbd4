(block_directive) @fold
(node) @fold
