// bfloat16: the upper half of a float32. Four values in two words, the first in the low half of the first word.

fn unpack_bf16(h: vec2<u32>) -> vec4<u32> { return vec4<u32>(h.x << 16u, h.x & 0xffff0000u, h.y << 16u, h.y & 0xffff0000u); }

// Bits of float32 to the nearest bfloat16, ties to even; past the largest one to infinity.
fn pack_bf16(u: vec4<u32>) -> vec2<u32> {
  let rounded = (u + vec4<u32>(0x7fffu) + ((u >> vec4<u32>(16u)) & vec4<u32>(1u))) >> vec4<u32>(16u);
  let h = select(rounded, vec4<u32>(0x7fc0u), (u & vec4<u32>(0x7fffffffu)) > vec4<u32>(0x7f800000u));
  return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}
