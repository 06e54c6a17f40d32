// NumPy's .npy: "\x93NUMPY", a version, the length of a header, the header (a literal of a Python dict), the elements.
import { type ByteSource, FileError } from './byteSource.js';
import { type StoredArray, type StoredDType, sizeOf } from './stored.js';

export const NPY_MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Version 1 has 16 bits for the length of the header; what NumPy writes is far shorter. */
const MOST_HEADER = 2 ** 16;

const DTYPES: ReadonlyMap<string, StoredDType> = new Map([
  ['f8', 'f64'],
  ['f4', 'f32'],
  ['f2', 'f16'],
  ['i8', 'i64'],
  ['u8', 'u64'],
  ['i4', 'i32'],
  ['u4', 'u32'],
  ['i2', 'i16'],
  ['u2', 'u16'],
  ['i1', 'i8'],
  ['u1', 'u8'],
]);

/** Reads the header, and checks that the file is as long as it says. Throws FileError. */
export async function readNpy(file: ByteSource): Promise<StoredArray> {
  const fail = (what: string): never => {
    throw new FileError(file.name, what);
  };
  const { header, end } = await readHeader(file);
  const { descr, fortranOrder, shape } = parseHeader(header, fail);
  const dtype = dtypeOf(descr, fail);
  if (fortranOrder && shape.filter((size) => size !== 1).length > 1) {
    fail(
      'is in Fortran order, columns first; rows are needed. Save a copy: np.save(file, np.ascontiguousarray(x)).',
    );
  }
  const bytes = sizeOf(file, dtype, shape);
  const there = file.size - end;
  const needed = `an array of shape [${shape.join(', ')}] and type ${descr} has ${bytes} bytes`;
  if (there < bytes) fail(`is cut off: ${needed}, the file has ${there}. Copy or save it again.`);
  if (there > bytes) {
    fail(`has ${there - bytes} bytes behind its array: ${needed}. Save each array in a file of its own.`);
  }
  return { dtype, shape, offset: end };
}

async function readHeader(file: ByteSource): Promise<{ header: string; end: number }> {
  const part = async (from: number, length: number): Promise<Uint8Array> => {
    if (from + length > file.size) {
      throw new FileError(file.name, 'is cut off within its header. Copy or save it again.');
    }
    const bytes = new Uint8Array(length);
    await file.read(bytes, from);
    return bytes;
  };
  const start = await part(0, 8);
  if (!NPY_MAGIC.every((byte, i) => start[i] === byte)) {
    throw new FileError(
      file.name,
      'is not in the .npy format: its first bytes are others. Save it with np.save.',
    );
  }
  const version = start[6] as number;
  if (version < 1 || version > 3 || start[7] !== 0) {
    throw new FileError(
      file.name,
      `has version ${version}.${start[7]} of the .npy format; 1.0, 2.0 and 3.0 can be read.`,
    );
  }
  const lengthBytes = version === 1 ? 2 : 4;
  const field = await part(8, lengthBytes);
  const length = field.reduce((sum, byte, i) => sum + byte * 256 ** i, 0);
  if (length > MOST_HEADER) {
    throw new FileError(file.name, `has a header of ${length} bytes; that is no array of numbers.`);
  }
  const from = 8 + lengthBytes;
  const header = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(await part(from, length));
  return { header, end: from + length };
}

interface Header {
  readonly descr: string;
  readonly fortranOrder: boolean;
  readonly shape: readonly number[];
}

type Fail = (what: string) => never;

/** A key and its value: a string, True or False, or a tuple of whole numbers, which old versions wrote with an L. */
const ENTRY =
  /\s*(['"])(\w+)\1\s*:\s*(?:(['"])([^'"]*)\3|(True|False)|\(\s*((?:\d+L?\s*,\s*)*(?:\d+L?\s*)?)\))\s*(,|(?=\}))/y;

function parseHeader(header: string, fail: Fail): Header {
  const text = header.trim();
  if (/['"]descr['"]\s*:\s*[[(]/.test(text)) {
    fail('has elements of several fields; save one of them: np.save(file, x["field"]).');
  }
  const found = new Map<string, string | boolean | readonly number[]>();
  let at = 1;
  while (text.startsWith('{')) {
    ENTRY.lastIndex = at;
    const match = ENTRY.exec(text);
    if (match === null) break;
    at = ENTRY.lastIndex;
    const [, , key = '', , string, flag, tuple = ''] = match;
    const numbers = tuple.match(/\d+/g) ?? [];
    found.set(key, string ?? (flag === undefined ? numbers.map(Number) : flag === 'True'));
  }
  const descr = found.get('descr');
  const fortranOrder = found.get('fortran_order');
  const shape = found.get('shape');
  if (
    !/^\s*\}$/.test(text.slice(at)) ||
    found.size !== 3 ||
    typeof descr !== 'string' ||
    typeof fortranOrder !== 'boolean' ||
    typeof shape !== 'object'
  ) {
    return fail(`has a header that cannot be read: ${JSON.stringify(text.slice(0, 100))}.`);
  }
  return { descr, fortranOrder, shape };
}

function dtypeOf(descr: string, fail: Fail): StoredDType {
  const order = descr.charAt(0);
  const type = descr.slice(1);
  if (order === '>' && DTYPES.has(type)) {
    return fail(`is big-endian ("${descr}"); save it as np.save(file, x.astype("<${type}")).`);
  }
  const dtype = order === '<' || order === '|' ? DTYPES.get(type) : undefined;
  if (dtype !== undefined) return dtype;
  if (type === 'O') return fail('holds pickled Python objects; save plain numbers: x.astype(np.float32).');
  if (type.startsWith('V')) {
    return fail(
      `holds elements whose type NumPy does not know ("${descr}"), as it writes bfloat16; use safetensors, or x.astype(np.float32).`,
    );
  }
  return fail(
    `has elements of type "${descr}"; floats of 16, 32 or 64 bits and whole numbers of 8 to 64 bits can be read.`,
  );
}
