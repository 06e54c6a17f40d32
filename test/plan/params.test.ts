// The parameters of a kernel are written in one place and read in another, by position: shaders/lib/params.wgsl.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bindPlan } from '../../src/gpu/binding.js';
import { softmaxSpec } from '../../src/ops/softmax.js';
import type { Constants, RowPass } from '../../src/plan/pass.js';
import { makePlan } from '../../src/plan/plan.js';
import { PRODUCT_NUMBERS } from '../../src/plan/product.js';
import { layoutOf } from '../../src/shape.js';
import { CLEAN } from '../../src/work.js';
import { factsWith } from './facts.js';

/** Name and type of each field of the parameters in a shader, in order. */
function fieldsOf(file: string): { readonly name: string; readonly type: string }[] {
  const source = readFileSync(new URL(`../../shaders/${file}`, import.meta.url), 'utf8');
  const [, body = ''] = /struct Params \{\n([\s\S]*?)\n\}/.exec(source) ?? [];
  return body.split('\n').map((line) => {
    const [, name, type] = /^\s*(\w+): ([\w<>, ]+?),\s*(?:\/\/.*)?$/.exec(line) ?? [];
    if (name === undefined || type === undefined) throw new Error(`no field: ${line}`);
    return { name, type };
  });
}

const fields = fieldsOf('lib/params.wgsl');

/** A different number for each constant, all of which a float32 holds. */
const constants: Required<Constants> = {
  extent: 101,
  ignoreIndex: 102,
  gradOutput: 0.5,
  divisor: 1.5,
  keep: 2.5,
  spread: 3.5,
  prescale: 4.5,
  postscale: 5.5,
  gapScale: 6.5,
  chain: 8.5,
  cap: 9.5,
  uncap: 10.5,
  zLoss: 11.5,
  gain: 12.5,
  gradFilter: 13.5,
  wanted: 103,
  taken: 104,
  listed: 105,
};

/** What the kernel of a softmax with `numbers` in place of its own gets, and the size of its binding. */
async function written(
  numbers: Partial<RowPass>,
  byteOffset: number,
): Promise<{ readonly view: DataView; readonly size: number }> {
  const shape = [7, 5];
  const spec = softmaxSpec(layoutOf('test', shape), { shape, dtype: 'f32', access: 'in' }, 1);
  const plan = await makePlan(spec, factsWith(), {});
  const [pass] = plan.passes as [RowPass];
  let memory = new ArrayBuffer(0);
  let size = 0;
  const device = {
    createBuffer: (descriptor: GPUBufferDescriptor) => {
      memory = new ArrayBuffer(descriptor.size);
      return { getMappedRange: () => memory, unmap: () => undefined, destroy: () => undefined };
    },
    createBindGroup: ({ entries }: GPUBindGroupDescriptor) => {
      const [{ resource }] = [...entries] as [GPUBindGroupEntry];
      size = (resource as GPUBufferBinding).size ?? 0;
      return {};
    },
  } as unknown as GPUDevice;
  const dispatches = [{ firstRow: 12, rows: 13, grid: [14, 15] as const }];
  const changed = { ...plan, passes: [{ ...pass, ...numbers, dispatches }] };
  const storage = { buffer: {} as GPUBuffer, byteOffset, owned: false };
  const operands = { logits: { storage, work: CLEAN }, output: { storage, work: CLEAN } };
  bindPlan(device, factsWith(), changed, [{} as never], new Map(), operands);
  return { view: new DataView(memory), size };
}

test('each number lies where its field is', async () => {
  const pass = { classes: 21, inner: 1, segment: 22, segments: 23, records: 24, constants };
  const { view } = await written(pass, 0);
  const { ignoreIndex, ...others } = constants;
  const expected: Readonly<Record<string, number>> = {
    rows: 13,
    first_row: 12,
    grid_width: 14,
    zero: 0,
    ignore_index: ignoreIndex as number,
    ignores: 1,
    ...Object.fromEntries(
      Object.entries({ ...pass, ...others })
        .filter(([, value]) => typeof value === 'number')
        .map(([name, value]) => [name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), value]),
    ),
  };
  const numbers = fields.slice(0, -1);
  expect(numbers.map(({ name }) => name).sort()).toEqual(Object.keys(expected).sort());
  for (const [word, { name, type }] of numbers.entries()) {
    expect(['u32', 'f32'], name).toContain(type);
    const value = type === 'u32' ? view.getUint32(4 * word, true) : view.getFloat32(4 * word, true);
    expect(value, name).toBe(expected[name]);
  }
});

test('without an ignored index, nothing is ignored', async () => {
  const { view } = await written({ constants: {} }, 0);
  const at = fields.findIndex(({ name }) => name === 'ignores');
  expect(view.getUint32(4 * at, true)).toBe(0);
});

test('the places of the bindings come last, aligned as a vector', async () => {
  const { name, type } = fields.at(-1) as (typeof fields)[number];
  expect([name, type]).toEqual(['places', 'array<vec4<u32>, 8>']);
  // An element is 16 bytes long and begins at a multiple of that.
  const at = 16 * Math.ceil((fields.length - 1) / 4);
  const { view, size } = await written({ inner: 1, classes: 5 }, 20);
  expect(size).toBe(at + 8 * 16);
  // Two numbers for each binding: its first element and the distance of rows. Row 12 starts at byte 20 + 12 * 5 * 4 = 260, one element
  // behind the aligned offset.
  const places = [0, 1, 2, 3].map((word) => view.getUint32(at + 4 * word, true));
  expect(places).toEqual([1, 5, 1, 5]);
});

test('a product gets its numbers in the order in which its shader has them, and its places where rows have theirs', async () => {
  const product = fieldsOf('product/params.wgsl');
  const names = product.map(({ name }) => name);
  expect(names).toEqual([...PRODUCT_NUMBERS, 'unused', 'places']);
  for (const { type } of product.slice(0, PRODUCT_NUMBERS.length)) expect(type).toBe('u32');
  // Numbers and padding, in groups of four, take as many words as the 28 numbers of rows.
  expect(PRODUCT_NUMBERS.length % 4).toBe(0);
  const [unused] = product.slice(PRODUCT_NUMBERS.length);
  expect(unused?.type).toBe(`array<vec4<u32>, ${(28 - PRODUCT_NUMBERS.length) / 4}>`);
});
