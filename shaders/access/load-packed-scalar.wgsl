// Rows of 16-bit elements, of any length: a row may begin within a word.
fn load_NAME(row: u32, c: u32) -> vec4<u32> {
  let at = place_NAME(row) + c;
  if (c >= params.classes) { return vec4<u32>(PAD); }
  // Only words that hold an element of the row are read.
  let last = (at + min(4u, params.classes - c) - 1u) >> 1u;
  let first = at >> 1u;
  var words = vec3<u32>(word_NAME(first), 0u, 0u);
  if (first + 1u <= last) { words.y = word_NAME(first + 1u); }
  if (first + 2u <= last) { words.z = word_NAME(first + 2u); }
  var packed = words.xy;
  if ((at & 1u) == 1u) { packed = (words.xy >> vec2<u32>(16u)) | (words.yz << vec2<u32>(16u)); }
  return select(vec4<u32>(PAD), unpack_PACKING(packed), lanes_inside(c));
}
fn pick_NAME(row: u32, c: u32) -> u32 {
  let at = place_NAME(row) + c;
  return unpack_PACKING(vec2<u32>(word_NAME(at >> 1u) >> (16u * (at & 1u)), 0u)).x;
}
