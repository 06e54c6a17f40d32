// The shaders of matrix products: loaded by the first call that has such.
import blocks from '../../shaders/product/blocks.wgsl?raw';
import columnSums from '../../shaders/product/column-sums.wgsl?raw';
import direct from '../../shaders/product/direct.wgsl?raw';
import fourPacked from '../../shaders/product/four-packed.wgsl?raw';
import fourScalar from '../../shaders/product/four-scalar.wgsl?raw';
import fourWide from '../../shaders/product/four-wide.wgsl?raw';
import params from '../../shaders/product/params.wgsl?raw';
import staged from '../../shaders/product/staged.wgsl?raw';
import storeScalar from '../../shaders/product/store-scalar.wgsl?raw';
import storeWide from '../../shaders/product/store-wide.wgsl?raw';
import sumParts from '../../shaders/product/sum-parts.wgsl?raw';
import type { Part, ProductKernel, ProductVariant } from '../plan/product.js';
import { packingOf } from '../plan/variant.js';

const BODIES: Readonly<Record<ProductKernel, readonly string[]>> = {
  product: [blocks],
  'sum-of-parts': [sumParts],
  'column-sums': [columnSums],
};

/** The WGSL of a product: a generated head, then plain files in a fixed order. */
export async function composeProduct({
  kernel,
  parts,
  flags,
  tiles,
  lines,
}: ProductVariant): Promise<string> {
  const bindings = Object.entries(parts);
  const dtypes = new Set(bindings.map(([, { dtype }]) => packingOf(dtype)));
  const packings = (['f16', 'bf16'] as const).filter((packing) => dtypes.has(packing));
  const texts = await Promise.all(packings.map(conversion));
  const result = parts['c'] as Part;
  return [
    '@group(0) @binding(0) var<uniform> params: Params;',
    ...bindings.map(([role, part], i) => {
      const mode = role === 'c' ? 'read_write' : 'read';
      return `@group(0) @binding(${i + 1}) var<storage, ${mode}> buffer_${role}: array<${elementType(role, part)}>;`;
    }),
    ...Object.entries(flags).map(([name, value]) => `const ${name}: bool = ${value};`),
    ...Object.entries(tiles.constants).map(([name, value]) => `const ${name}: u32 = ${value}u;`),
    ...texts,
    params,
    ...bindings.map(([role], i) => place(role, i)),
    ...lines.map((role) => reader(role, parts[role] as Part)),
    result.fours ? storeWide : storeScalar,
    ...('targets' in parts ? [] : ['fn get_targets(row: u32) -> u32 { return 0u; }']),
    ...(lines.includes('bias')
      ? []
      : ['fn four_bias(line: u32, at: u32) -> vec4<f32> { return vec4<f32>(); }']),
    ...BODIES[kernel],
    ...(kernel === 'product' ? [tiles.staged ? staged : direct] : []),
  ].join('\n');
}

async function conversion(packing: 'f16' | 'bf16'): Promise<string> {
  const library =
    packing === 'f16' ? import('../../shaders/lib/f16.wgsl?raw') : import('../../shaders/lib/bf16.wgsl?raw');
  const convert = `fn floats_of_${packing}(h: vec2<u32>) -> vec4<f32> { return bitcast<vec4<f32>>(unpack_${packing}(h)); }`;
  return `${(await library).default}\n${convert}`;
}

function elementType(role: string, { dtype, fours }: Part): string {
  if (role === 'targets') return 'u32';
  if (packingOf(dtype) === 'none') return fours ? 'vec4<f32>' : 'f32';
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

/** How many lines the operands have, and how long these are. */
const LENGTHS: Readonly<Record<string, readonly [lines: string, length: string]>> = {
  a: ['params.a_lines', 'params.a_length'],
  b: ['params.b_lines', 'params.b_length'],
  bias: ['1u', 'params.columns'],
};

function reader(role: string, { dtype, fours }: Part): string {
  const packing = packingOf(dtype);
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
