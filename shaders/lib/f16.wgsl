// IEEE binary16 without the device feature, by integers: the built-in packing is undefined past 65504 and may flush subnormals.
// Four values in two words, the first in the low half of the first word.

fn unpack_f16(h: vec2<u32>) -> vec4<u32> {
  let halves = vec4<u32>(h.x & 0xffffu, h.x >> 16u, h.y & 0xffffu, h.y >> 16u);
  let shifted = (halves & vec4<u32>(0x7fffu)) << vec4<u32>(13u);
  // Exponents are biased by 15 here and by 127 there; that of infinities and NaN is 31 here and 255 there.
  let bias = select(vec4<u32>(0x38000000u), vec4<u32>(0x70000000u), shifted >= vec4<u32>(0x0f800000u));
  let subnormal = bitcast<vec4<u32>>(vec4<f32>(halves & vec4<u32>(0x3ffu)) * 5.9604644775390625e-8);
  let size = select(shifted + bias, subnormal, shifted < vec4<u32>(0x00800000u));
  return size | ((halves & vec4<u32>(0x8000u)) << vec4<u32>(16u));
}

// Bits of float32 to the nearest binary16, ties to even; from 65520 on to infinity.
fn pack_f16(u: vec4<u32>) -> vec2<u32> {
  let size = u & vec4<u32>(0x7fffffffu);
  let normal = (size + vec4<u32>(0xfffu) + ((size >> vec4<u32>(13u)) & vec4<u32>(1u)) - vec4<u32>(0x38000000u)) >> vec4<u32>(13u);
  // Below 2^-14 the result counts multiples of 2^-24: the significand, shifted and rounded. 25 bits shift everything out.
  let shift = min(vec4<u32>(126u) - min(size >> vec4<u32>(23u), vec4<u32>(112u)), vec4<u32>(25u));
  let significand = (size & vec4<u32>(0x7fffffu)) | vec4<u32>(0x800000u);
  let kept = significand >> shift;
  let half = vec4<u32>(1u) << (shift - vec4<u32>(1u));
  let subnormal = (significand + half - vec4<u32>(1u) + (kept & vec4<u32>(1u))) >> shift;
  let finite = min(select(normal, subnormal, size < vec4<u32>(0x38800000u)), vec4<u32>(0x7c00u));
  let known = select(finite, vec4<u32>(0x7c00u), size >= vec4<u32>(0x7f800000u));
  let h = select(known, vec4<u32>(0x7e00u), size > vec4<u32>(0x7f800000u)) | ((u >> vec4<u32>(16u)) & vec4<u32>(0x8000u));
  return vec2<u32>(h.x | (h.y << 16u), h.z | (h.w << 16u));
}
