// Rows of vec4s, the last of which may reach behind the end of the row. Behind it the last one is read and not used.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  let v = BUFFER[(place_NAME(row) + min(c, params.classes - 1u)) >> 2u];
  return select(vec4<u32>(PAD), v, lanes_inside(c));
}
fn pick_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c;
  return BUFFER[at >> 2u][at & 3u];
}
