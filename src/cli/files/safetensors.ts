// safetensors: the length of a header in 8 bytes, the header in JSON, the elements of all tensors one after the other.
import { type ByteSource, FileError } from './byteSource.js';
import { type StoredArray, type StoredDType, sizeOf } from './stored.js';

/** The limit of the format's own library. */
const MOST_HEADER = 100_000_000;

const DTYPES: ReadonlyMap<string, StoredDType> = new Map([
  ['F64', 'f64'],
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
  ['I64', 'i64'],
  ['U64', 'u64'],
  ['I32', 'i32'],
  ['U32', 'u32'],
  ['I16', 'i16'],
  ['U16', 'u16'],
  ['I8', 'i8'],
  ['U8', 'u8'],
]);

/** A tensor as the header has it: its type may be one that cannot be read. */
interface Listed {
  readonly dtype: string;
  readonly shape: readonly number[];
  /** From and to, counted from the end of the header. */
  readonly data_offsets: readonly [number, number];
}

/**
 * Finds a tensor, and checks that the file is whole: as long as its header says, with no tensor over another and nothing between.
 *
 * @param tensor its name; undefined: the only one there is, or the one called `usual`
 * @throws FileError
 */
export async function readSafetensors(
  file: ByteSource,
  tensor: string | undefined,
  usual: string,
): Promise<StoredArray> {
  const fail = (what: string): never => {
    throw new FileError(file.name, what);
  };
  const { tensors, end } = await readHeader(file, fail);
  checkPlaces(tensors, file.size - end, fail);
  if (tensors.size === 0) fail('holds no tensors.');
  const name = tensor ?? (tensors.size === 1 ? [...tensors.keys()][0] : usual);
  const found = name === undefined ? undefined : tensors.get(name);
  if (found === undefined) {
    return fail(
      tensor === undefined
        ? `holds ${tensors.size} tensors and none is called "${usual}"; name one of them: ${list(tensors)}.`
        : `holds no tensor "${tensor}"; there are ${list(tensors)}.`,
    );
  }
  const { shape, data_offsets: at } = found;
  const dtype = DTYPES.get(found.dtype);
  if (dtype === undefined) {
    return fail(`tensor "${name}" is of type ${found.dtype}; ${[...DTYPES.keys()].join(', ')} can be read.`);
  }
  const bytes = sizeOf(file, dtype, shape);
  if (bytes !== at[1] - at[0]) {
    fail(
      `tensor "${name}" of shape [${shape.join(', ')}] and type ${found.dtype} has ${bytes} bytes; ` +
        `its header gives it ${at[1] - at[0]}. Save it again.`,
    );
  }
  return { dtype, shape, offset: end + at[0] };
}

type Fail = (what: string) => never;

async function readHeader(
  file: ByteSource,
  fail: Fail,
): Promise<{ tensors: Map<string, Listed>; end: number }> {
  if (file.size < 8) fail('is cut off within its header. Copy or save it again.');
  const field = new Uint8Array(8);
  await file.read(field, 0);
  const length = Number(new DataView(field.buffer).getBigUint64(0, true));
  if (length > MOST_HEADER) fail(`is not in the safetensors format: its header would have ${length} bytes.`);
  const end = 8 + length;
  if (end > file.size) fail(`is cut off: its header has ${length} bytes. Copy or save it again.`);
  const bytes = new Uint8Array(length);
  await file.read(bytes, 8);
  let header: unknown;
  try {
    header = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    fail('is not in the safetensors format: its header is not JSON.');
  }
  if (typeof header !== 'object' || header === null || Array.isArray(header)) {
    return fail('is not in the safetensors format: its header is not an object.');
  }
  const tensors = new Map<string, Listed>();
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    if (!isListed(entry)) return fail(`has a header that cannot be read: tensor "${name}".`);
    tensors.set(name, entry);
  }
  return { tensors, end };
}

function isListed(entry: unknown): entry is Listed {
  const { dtype, shape, data_offsets: at } = (entry ?? {}) as Partial<Record<keyof Listed, unknown>>;
  return typeof dtype === 'string' && isCounts(shape) && isCounts(at) && at.length === 2;
}

function isCounts(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);
}

/** @param size bytes behind the header */
function checkPlaces(tensors: ReadonlyMap<string, Listed>, size: number, fail: Fail): void {
  const places = [...tensors]
    .map(([name, { data_offsets: at }]) => ({ name, from: at[0], to: at[1] }))
    .sort((a, b) => a.from - b.from || a.to - b.to);
  let end = 0;
  for (const { name, from, to } of places) {
    if (from !== end || to < from) {
      fail(`tensor "${name}" lies at bytes ${from} to ${to}, where byte ${end} is the next. Save it again.`);
    }
    end = to;
  }
  if (end > size)
    fail(`is cut off: its tensors have ${end} bytes, the file has ${size}. Copy or save it again.`);
  if (end < size) fail(`has ${size - end} bytes behind its tensors. Save it again.`);
}

const MOST_NAMES = 12;

function list(tensors: ReadonlyMap<string, unknown>): string {
  const names = [...tensors.keys()].map((name) => `"${name}"`);
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
