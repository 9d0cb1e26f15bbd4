(block_directive) @indent.begin
