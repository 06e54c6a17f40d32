// The shaders of 16-bit floats: loaded by the first call that has such.
import loadPackedScalar from '../../shaders/access/load-packed-scalar.wgsl?raw';
import loadPackedStraddling from '../../shaders/access/load-packed-straddling.wgsl?raw';
import loadPackedStrided from '../../shaders/access/load-packed-strided.wgsl?raw';
import loadPackedVec4 from '../../shaders/access/load-packed-vec4.wgsl?raw';
import storePackedShared from '../../shaders/access/store-packed-shared.wgsl?raw';
import storePackedVec4 from '../../shaders/access/store-packed-vec4.wgsl?raw';
import word from '../../shaders/access/word.wgsl?raw';
import wordShared from '../../shaders/access/word-shared.wgsl?raw';
import bf16 from '../../shaders/lib/bf16.wgsl?raw';
import f16 from '../../shaders/lib/f16.wgsl?raw';
import { type Binding, isShared, type Packing } from '../plan/variant.js';

export function packedTemplates(read: boolean, binding: Binding): readonly string[] {
  if (binding.access === 'vec4') return [read ? loadPackedVec4 : storePackedVec4];
  // What is written is read back where rows share a group.
  if (binding.access === 'straddling') return [loadPackedStraddling, ...(read ? [] : [storePackedVec4])];
  if (!read) return [storePackedShared];
  const load = binding.access === 'strided' ? loadPackedStrided : loadPackedScalar;
  return [isShared(binding) ? wordShared : word, load];
}

/** The conversions of the packings that are bound. */
export function packingLibraries({
  bindings,
}: {
  readonly bindings: readonly { readonly packing: Packing }[];
}): readonly string[] {
  const has = (packing: Packing): boolean => bindings.some((binding) => binding.packing === packing);
  return [...(has('f16') ? [f16] : []), ...(has('bf16') ? [bf16] : [])];
}
