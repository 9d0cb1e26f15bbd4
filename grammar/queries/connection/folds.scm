(block_directive) @fold
