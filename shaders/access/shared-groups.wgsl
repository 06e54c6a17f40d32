// The one matrix that a kernel writes in groups of four of which rows share some: always whole groups, each by one thread, for what two threads
// write to parts of a vector is undefined.
fn written(row: u32, c: u32) -> vec4<u32> { return load_NAME(row, c); }
fn write(row: u32, c: u32, v: vec4<u32>) { store_NAME(row, c, v); }
// Classes of a row in the group that it shares with the row before.
fn shared_head(row: u32) -> u32 { return (0u - place_NAME(row)) & 3u; }
