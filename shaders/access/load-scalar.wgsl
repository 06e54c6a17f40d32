// Rows of any length, classes `STEP` elements apart. Behind the end the last class is read and not used: drivers in software are slow
// at branches.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  let first = place_NAME(row);
  let at = min(vec4<u32>(c, c + 1u, c + 2u, c + 3u), vec4<u32>(params.classes - 1u)) * STEP;
  let v = vec4<u32>(BUFFER[first + at.x], BUFFER[first + at.y], BUFFER[first + at.z], BUFFER[first + at.w]);
  return select(vec4<u32>(PAD), v, lanes_inside(c));
}
fn pick_NAME(row: u32, c: u32) -> u32 { return BUFFER[place_NAME(row) + c * STEP]; }
