// The shaders of matrix products: loaded by the first call that has such.
import blocks from '../../shaders/product/blocks.wgsl?raw';
import columnSums from '../../shaders/product/column-sums.wgsl?raw';
import direct from '../../shaders/product/direct.wgsl?raw';
import fourPacked from '../../shaders/product/four-packed.wgsl?raw';
import fourScalar from '../../shaders/product/four-scalar.wgsl?raw';
import fourWide from '../../shaders/product/four-wide.wgsl?raw';
import params from '../../shaders/product/params.wgsl?raw';
import sharedASubgroup from '../../shaders/product/shared-a.subgroup.wgsl?raw';
import sharedA from '../../shaders/product/shared-a.wgsl?raw';
import staged from '../../shaders/product/staged.wgsl?raw';
import storeScalar from '../../shaders/product/store-scalar.wgsl?raw';
import storeWide from '../../shaders/product/store-wide.wgsl?raw';
import sumParts from '../../shaders/product/sum-parts.wgsl?raw';
import type { Tiles } from '../plan/policy.js';
import type { ProductBinding, ProductKernel, ProductVariant } from '../plan/product.js';

const BODIES: Readonly<Record<ProductKernel, readonly string[]>> = {
  product: [blocks],
  'sum-of-parts': [sumParts],
  'column-sums': [columnSums],
};

/** The WGSL of a product: a generated head, then plain files in a fixed order. */
export async function composeProduct(variant: ProductVariant): Promise<string> {
  const { kernel, bindings, flags, tiles } = variant;
  const has = (role: string): boolean => bindings.some((binding) => binding.role === role);
  const packings = [...new Set(bindings.map(({ packing }) => packing))].filter(
    (packing) => packing !== 'none',
  );
  const libraries = packings.length === 0 ? [] : (await import('./packed.js')).packingLibraries(variant);
  return [
    // The analysis cannot see that all threads of a subgroup take the same way where that depends on what they share.
    ...(tiles.subgroups ? ['enable subgroups;', 'diagnostic(off, subgroup_uniformity);'] : []),
    '@group(0) @binding(0) var<uniform> params: Params;',
    ...bindings.map((binding, i) => {
      const mode = binding.write ? 'read_write' : 'read';
      return `@group(0) @binding(${i + 1}) var<storage, ${mode}> buffer_${binding.role}: array<${elementType(binding)}>;`;
    }),
    ...Object.entries(flags).map(([name, value]) => `const ${name}: bool = ${value};`),
    ...Object.entries(tiles.constants).map(([name, value]) => `const ${name}: u32 = ${value}u;`),
    ...libraries,
    ...packings.map(
      (packing) =>
        `fn floats_of_${packing}(h: vec2<u32>) -> vec4<f32> { return bitcast<vec4<f32>>(unpack_${packing}(h)); }`,
    ),
    params,
    ...bindings.map(({ role }, i) => place(role, i)),
    ...bindings.filter(({ role }) => role in LENGTHS).map(reader),
    bindings.some(({ write, fours }) => write && fours) ? storeWide : storeScalar,
    ...(has('targets') ? [] : ['fn get_targets(row: u32) -> u32 { return 0u; }']),
    ...(has('bias') ? [] : ['fn four_bias(line: u32, at: u32) -> vec4<f32> { return vec4<f32>(); }']),
    ...BODIES[kernel],
    ...(kernel === 'product' ? tileOf(tiles) : []),
  ].join('\n');
}

function tileOf({ staged: inMemory, subgroups }: Tiles): readonly string[] {
  return inMemory ? [staged] : [subgroups ? sharedASubgroup : sharedA, direct];
}

function elementType({ role, packing, fours }: ProductBinding): string {
  if (role === 'targets') return 'u32';
  if (packing === 'none') return fours ? 'vec4<f32>' : 'f32';
  return fours ? 'vec2<u32>' : 'u32';
}

/** Where a binding's lines lie, and how many there are, and how long. */
function place(role: string, index: number): string {
  const at = `params.places[${index >> 1}]`;
  const [first, step] = index % 2 === 0 ? ['x', 'y'] : ['z', 'w'];
  const lines = [`fn place_${role}(line: u32) -> u32 { return ${at}.${first} + line * ${at}.${step}; }`];
  if (role === 'targets')
    lines.push(`fn get_targets(row: u32) -> u32 { return buffer_targets[${at}.${first} + row]; }`);
  return lines.join('\n');
}

/** How many lines those have that are read line by line, and how long these are. */
const LENGTHS: Readonly<Record<string, readonly [lines: string, length: string]>> = {
  a: ['params.a_lines', 'params.a_length'],
  b: ['params.b_lines', 'params.b_length'],
  bias: ['1u', 'params.columns'],
};

function reader({ role, packing, fours }: ProductBinding): string {
  const [count, length] = LENGTHS[role] as readonly [string, string];
  const template = fours ? fourWide : packing === 'none' ? fourScalar : fourPacked;
  return [
    `fn lines_${role}() -> u32 { return ${count}; }`,
    `fn length_${role}() -> u32 { return ${length}; }`,
    template
      .replaceAll('CONVERT', packing === 'none' ? 'vec4<f32>' : `floats_of_${packing}`)
      .replaceAll('NAME', role)
      .replaceAll('BUFFER', `buffer_${role}`),
  ].join('\n');
}
