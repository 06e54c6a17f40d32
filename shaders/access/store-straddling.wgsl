// The one matrix that the kernel writes: always whole vec4s, each by one thread, for what two threads write to parts of a vec4 is undefined.
fn store_NAME(row: u32, c: u32, v: vec4<u32>) { BUFFER[(place_NAME(row) + c) >> 2u] = v; }
fn poke_NAME(row: u32, c: u32, u: u32) {
  let at = place_NAME(row) + c;
  BUFFER[at >> 2u][at & 3u] = u;
}
// Classes of a row in the vec4 that it shares with the row before.
fn shared_head(row: u32) -> u32 { return (0u - place_NAME(row)) & 3u; }
fn written(row: u32, c: u32) -> vec4<u32> { return BUFFER[(place_NAME(row) + c) >> 2u]; }
fn write(row: u32, c: u32, v: vec4<u32>) { store_NAME(row, c, v); }
