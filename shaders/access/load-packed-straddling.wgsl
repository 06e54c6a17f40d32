// As load-straddling.wgsl, of groups of four 16-bit elements.
fn load_NAME(row: u32, c: u32) -> vec4<u32> { return unpack_PACKING(BUFFER[(place_NAME(row) + c) >> 2u]); }
fn pick_NAME(row: u32, c: u32) -> u32 { return load_NAME(row, c)[(place_NAME(row) + c) & 3u]; }
