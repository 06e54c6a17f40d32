// Rows of any length in a matrix of whole vec4s, of which neighbours share some: four classes that begin where a vec4 does.
fn load_NAME(row: u32, c: u32) -> vec4<u32> { return BUFFER[(place_NAME(row) + c) >> 2u]; }
fn pick_NAME(row: u32, c: u32) -> u32 { return load_NAME(row, c)[(place_NAME(row) + c) & 3u]; }
