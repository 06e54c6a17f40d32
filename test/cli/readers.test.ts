import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openArray, placeOf } from '../../src/cli/files/arrayFile.js';
import { type ByteSource, FileError } from '../../src/cli/files/byteSource.js';
import { readNpy } from '../../src/cli/files/npy.js';
import { readSafetensors } from '../../src/cli/files/safetensors.js';
import { storedBytes } from '../../src/cli/files/stored.js';
import { bytesOf, fixture, npyHead, npyHeadOf, safetensors, temporaryFolder, write } from './files.js';

const folder = temporaryFolder();

/** What an array file holds: its type, shape, and elements as bytes. */
async function readAll(path: string, tensor?: string, usual = 'logits') {
  const file = await openArray({ path, tensor }, usual);
  try {
    const { dtype, shape } = file;
    const count = shape.reduce((product, size) => product * size, 1);
    const bytes = new Uint8Array(count * storedBytes(dtype));
    await file.read(bytes, 0);
    return { dtype, shape, bytes };
  } finally {
    await file.close();
  }
}

const x = [0.5, -1, 2, 3, 0.25, -0.5, 1, 1, -2, -4, 8, 0];
const floats = bytesOf(Float32Array.from(x));

describe('.npy files of NumPy', () => {
  for (const name of ['x-f4', 'x-version2', 'x-version3']) {
    test(name, async () => {
      const { dtype, shape, bytes } = await readAll(fixture(`${name}.npy`));
      expect({ dtype, shape }).toEqual({ dtype: 'f32', shape: [4, 3] });
      expect([...new Float32Array(bytes.buffer)]).toEqual(x);
    });
  }

  test('float64 and float16', async () => {
    expect([...new Float64Array((await readAll(fixture('x-f8.npy'))).bytes.buffer)]).toEqual(x);
    const { dtype, bytes } = await readAll(fixture('x-f2.npy'));
    expect(dtype).toBe('f16');
    // 0.5, -1, 2
    expect([...new Uint16Array(bytes.buffer, 0, 3)]).toEqual([0x3800, 0xbc00, 0x4000]);
  });

  for (const [type, dtype] of [
    ['i1', 'i8'],
    ['u1', 'u8'],
    ['i2', 'i16'],
    ['u2', 'u16'],
    ['i4', 'i32'],
    ['u4', 'u32'],
    ['i8', 'i64'],
    ['u8', 'u64'],
  ] as const) {
    test(`whole numbers: ${type}`, async () => {
      const read = await readAll(fixture(`t-${type}.npy`));
      expect(read).toMatchObject({ dtype, shape: [4] });
      const size = Number(type[1]);
      expect([0, 1, 2, 3].map((i) => read.bytes[i * size])).toEqual([2, 0, 1, 1]);
    });
  }

  test('no dimension, and a column that is in both orders', async () => {
    expect(await readAll(fixture('t-scalar.npy'))).toMatchObject({ dtype: 'i64', shape: [] });
    expect(await readAll(fixture('x-row.npy'))).toMatchObject({ dtype: 'f32', shape: [3, 1] });
    const path = write(folder, 'column.npy', npyHead('<f4', [12, 1], true), floats);
    expect(await readAll(path)).toMatchObject({ shape: [12, 1] });
  });

  test('elements are read from where they are asked for', async () => {
    const file = await openArray({ path: fixture('x-f4.npy') }, 'logits');
    const bytes = new Uint8Array(8);
    await file.read(bytes, 7);
    expect([...new Float32Array(bytes.buffer)]).toEqual(x.slice(7, 9));
    await expect(file.read(bytes, 11)).rejects.toThrow(/x-f4.npy: ends at byte \d+; it became shorter/);
    await file.close();
  });
});

const good = new Uint8Array(readFileSync(fixture('x-f4.npy')));
const npy = (name: string, ...parts: readonly (Uint8Array | string)[]) =>
  write(folder, `${name}.npy`, ...parts);
const tensors = (name: string, bytes: Uint8Array) => write(folder, `${name}.safetensors`, bytes);
const two = {
  logits: { dtype: 'F32', shape: [4, 3], data: Float32Array.from(x) },
  labels: { dtype: 'I64', shape: [4], data: BigInt64Array.of(2n, 0n, 1n, 1n) },
};
const spoiled = (of: keyof typeof two, entry: object) =>
  safetensors(two, (header) => ({ ...header, [of]: { ...(header[of] as object), ...entry } }));

describe('what cannot be read is an error that says what to do', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['Fortran order', fixture('x-fortran.npy'), /is in Fortran order.*np\.ascontiguousarray/],
    ['big-endian', fixture('x-big-endian.npy'), /is big-endian \(">f4"\).*astype\("<f4"\)/],
    ['booleans', fixture('x-bool.npy'), /has elements of type "\|b1"; floats of 16/],
    ['complex numbers', fixture('x-complex.npy'), /has elements of type "<c8"/],
    ['pickled objects', fixture('x-objects.npy'), /holds pickled Python objects.*astype\(np\.float32\)/],
    ['fields', fixture('x-fields.npy'), /has elements of several fields; save one of them/],
    ['bfloat16 as NumPy writes it', fixture('x-void.npy'), /does not know \("\|V2"\).*safetensors/],
    ['an archive', fixture('x.npz'), /is a zip archive.*np\.save/],
    ['a missing file', join(folder, 'none.npy'), /none\.npy: there is no such file/],
    ['a folder', folder, /is a folder; name a file in it/],
    ['a device', '/dev/null', /is not a regular file/],
    ['an empty file', npy('empty'), /is empty/],
    ['a cut .npy', npy('cut', good.subarray(0, -1)), /is cut off.* has 48 bytes, the file has 47/],
    ['a cut header', npy('cut-header', good.subarray(0, 40)), /is cut off within its header/],
    ['a cut beginning', npy('cut-start', good.subarray(0, 7)), /is cut off within its header/],
    ['trailing bytes', npy('long', good, 'abc'), /has 3 bytes behind its array/],
    ['two arrays', npy('two', good, good), /bytes behind its array.*a file of its own/],
    ['wrong magic', npy('magic', 'NUMPY', good), /is not in the \.npy format: its first bytes/],
    [
      'a version to come',
      npy('version', good.with(6, 4)),
      /has version 4\.0 of the \.npy format; 1\.0, 2\.0 and 3\.0/,
    ],
    ['no format', write(folder, 'notes.txt', 'some notes'), /is neither an \.npy nor a safetensors file/],
    ['a pickle', write(folder, 'x.pkl', Uint8Array.of(0x80, 4, 0x95, 0, 0)), /is pickled/],
    ['gzip', write(folder, 'x.npy.gz', Uint8Array.of(0x1f, 0x8b, 8, 0)), /is compressed with gzip/],
    ['HDF5', write(folder, 'x.h5', Uint8Array.of(0x89, 0x48, 0x44, 0x46)), /is an HDF5 file/],
    ['the order of some machine', npy('order', npyHead('=f4', [0])), /has elements of type "=f4"/],
    [
      'a header of a book',
      npy('book', good.with(6, 2).subarray(0, 8), Uint8Array.of(0x70, 0x11, 1, 0), ' '.repeat(70_000)),
      /has a header of 70000 bytes/,
    ],
    ['a header of code', npy('code', npyHeadOf('__import__("os")')), /has a header that cannot be read/],
    [
      'a header with a key too many',
      npy('key', npyHeadOf("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'x': 'y', }")),
      /has a header that cannot be read/,
    ],
    [
      'a header without a shape',
      npy('no-shape', npyHeadOf("{'descr': '<f4', 'fortran_order': False, }")),
      /has a header that cannot be read/,
    ],
    [
      'text behind the header',
      npy('tail', npyHeadOf("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } + 1")),
      /has a header that cannot be read/,
    ],
    ['a huge shape', npy('huge', npyHead('<f4', [2 ** 40, 2 ** 40])), /which is too large/],
    ['a huge shape of nothing', npy('huge0', npyHead('<f4', [0, 2 ** 60])), /which is too large/],
    ['a cut safetensors', tensors('cut', safetensors(two).subarray(0, -1)), /is cut off: its tensors/],
    ['a cut length', tensors('cut-length', safetensors(two).subarray(0, 5)), /is cut off within its header/],
    ['a cut JSON', tensors('cut-header', safetensors(two).subarray(0, 60)), /is cut off: its header/],
    ['trailing bytes', tensors('long', Buffer.concat([safetensors(two), good])), /bytes behind its tensors/],
    ['no JSON', tensors('json', Buffer.from('\x02\0\0\0\0\0\0\0{]')), /its header is not JSON/],
    ['no object', tensors('array', Buffer.from('\x02\0\0\0\0\0\0\0[]')), /its header is not an object/],
    ['an absurd length', tensors('length', Buffer.from('not safetensors')), /its header would have/],
    [
      'a shape below 0',
      tensors('shape', spoiled('logits', { shape: [-4, 3] })),
      /cannot be read: tensor "logits"/,
    ],
    [
      'a tensor that is none',
      tensors(
        'null',
        safetensors(two, (h) => ({ ...h, logits: null })),
      ),
      /cannot be read/,
    ],
    [
      'a place too small',
      tensors('small', spoiled('logits', { shape: [5, 3] })),
      /has 60 bytes; its header gives it 48/,
    ],
    [
      'an overlap',
      tensors('over', spoiled('labels', { data_offsets: [40, 72] })),
      /"labels" lies at bytes 40/,
    ],
    ['a gap', tensors('gap', spoiled('labels', { data_offsets: [52, 84] })), /where byte 48 is the next/],
    ['no tensor', tensors('none', safetensors({})), /holds no tensors\.$/],
    ['a type', tensors('type', spoiled('logits', { dtype: 'F8_E4M3' })), /is of type F8_E4M3; F64, F32/],
  ];
  for (const [what, path, message] of cases) {
    test(`${what}: ${message.source}`, async () => {
      const error = await readAll(path).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(FileError);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message.startsWith(`${path}: `)).toBe(true);
    });
  }
});

describe('tensors of a safetensors file', () => {
  const path = tensors('two', safetensors(two));
  const only = tensors('only', safetensors({ scores: two.logits }));

  test('by name', async () => {
    const { dtype, shape, bytes } = await readAll(path, 'labels');
    expect({ dtype, shape }).toEqual({ dtype: 'i64', shape: [4] });
    expect([...new BigInt64Array(bytes.buffer)]).toEqual([2n, 0n, 1n, 1n]);
  });

  test('without a name: the usual one, or the only one', async () => {
    expect(await readAll(path, undefined, 'logits')).toMatchObject({ dtype: 'f32' });
    expect(await readAll(only, undefined, 'targets')).toMatchObject({ dtype: 'f32' });
    await expect(readAll(path, undefined, 'targets')).rejects.toThrow(
      /holds 2 tensors and none is called "targets"; name one of them: "logits", "labels"\./,
    );
    await expect(readAll(path, 'scores')).rejects.toThrow(
      'no tensor "scores"; there are "logits", "labels".',
    );
  });

  test('by content, whatever the file is called', async () => {
    expect(await readAll(write(folder, 'model.bin', safetensors(two)))).toMatchObject({ shape: [4, 3] });
  });

  test('an .npy has no names', async () => {
    await expect(readAll(fixture('x-f4.npy'), 'logits')).rejects.toThrow(/with one array; leave the name/);
  });

  test('are named behind a colon', () => {
    expect(placeOf('a/b.safetensors:logits')).toEqual({ path: 'a/b.safetensors', tensor: 'logits' });
    expect(placeOf('C:\\a\\b.safetensors:x:y')).toEqual({ path: 'C:\\a\\b.safetensors', tensor: 'x:y' });
    expect(placeOf('C:\\a\\b.npy')).toEqual({ path: 'C:\\a\\b.npy' });
    expect(placeOf('b.safetensors')).toEqual({ path: 'b.safetensors' });
  });
});

/** Bytes in memory, with a memory of how many were asked for at once. */
function source(bytes: Uint8Array): ByteSource & { largest: number } {
  const file = {
    name: 'bytes',
    size: bytes.length,
    largest: 0,
    read: async (into: Uint8Array, position: number) => {
      file.largest = Math.max(file.largest, into.length);
      if (position + into.length > bytes.length) throw new Error('read past the end');
      into.set(bytes.subarray(position, position + into.length));
    },
    close: async () => undefined,
  };
  return file;
}

/** A good file, some of whose bytes are replaced, and which may be cut or longer. */
function damaged(bytes: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(255));
  return fc
    .tuple(fc.array(change, { maxLength: 4 }), fc.integer({ min: -bytes.length, max: 9 }))
    .map(([changes, longer]) => {
      const copy = new Uint8Array(bytes.length + longer);
      copy.set(bytes.subarray(0, copy.length));
      for (const [at, byte] of changes) if (at < copy.length) copy[at] = byte;
      return copy;
    });
}

describe('damaged files are refused with a FileError, or hold what their header says', () => {
  const readers = {
    npy: [good, (file: ByteSource) => readNpy(file)],
    safetensors: [safetensors(two), (file: ByteSource) => readSafetensors(file, undefined, 'logits')],
  } as const;
  for (const [name, [bytes, read]] of Object.entries(readers)) {
    test(name, async () => {
      await fc.assert(
        fc.asyncProperty(damaged(bytes), async (changed) => {
          const file = source(changed);
          try {
            const { dtype, shape, offset } = await read(file);
            const size = shape.reduce((product, each) => product * each, storedBytes(dtype));
            expect(offset + size).toBeLessThanOrEqual(file.size);
          } catch (error) {
            expect(error).toBeInstanceOf(FileError);
          }
          // Nothing is allocated that the file does not have.
          expect(file.largest).toBeLessThanOrEqual(Math.max(8, file.size));
        }),
        { numRuns: 500 },
      );
    });
  }
});

test('any shape that is written is read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(6), { maxLength: 5 }), async (shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const file = source(Buffer.concat([npyHead('<i2', shape), new Uint8Array(2 * count)]));
      expect(await readNpy(file)).toEqual({ dtype: 'i16', shape, offset: file.size - 2 * count });
    }),
  );
});
