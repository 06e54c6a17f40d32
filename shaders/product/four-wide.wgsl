// Four neighbours of a line, of whole aligned groups of four. Behind the end the last ones are read and not used.
fn four_NAME(line: u32, at: u32) -> vec4<f32> {
  let first = place_NAME(min(line, lines_NAME() - 1u));
  return CONVERT(BUFFER[(first + min(at, length_NAME() - 4u)) >> 2u]);
}
