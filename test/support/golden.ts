// Reads golden-loss/1 data (test/golden/README.md) from its bytes alone, so that it works in a browser page too.
// The Node side that reads the files is goldenFiles.ts.

const ARRAYS = { f32: Float32Array, f64: Float64Array, i32: Int32Array } as const;
type Dtype = keyof typeof ARRAYS;
type Values = Float32Array | Float64Array | Int32Array;

/** A tensor whose values are all there. `data` of a generated tensor is computed at each access. */
export interface GoldenTensor {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly data: Values;
}

/** A large output, known at some flat positions and by its row sums. */
export interface GoldenSummary {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly summary: {
    readonly index: Int32Array;
    readonly value: Float64Array;
    /** Sum of each row along the last dimension. */
    readonly rowSum: Float64Array;
    readonly rowAbsSum: Float64Array;
  };
}

export type GoldenOutput = GoldenTensor | GoldenSummary;

export interface GoldenOptions {
  readonly target?: 'index' | 'prob';
  readonly reduction?: 'none' | 'mean' | 'sum';
  readonly label_smoothing?: number;
  readonly ignore_index?: number;
  readonly temperature?: number;
  readonly softcap?: number;
  readonly z_loss?: number;
  readonly dim?: number;
  readonly keepdim?: boolean;
}

export interface GoldenCase {
  readonly name: string;
  readonly op: string;
  readonly tags: readonly string[];
  readonly options: GoldenOptions;
  readonly inputs: Readonly<Record<string, GoldenTensor>>;
  readonly outputs: Readonly<Record<string, GoldenOutput>>;
  /** PyTorch in float32; hard cases only. */
  readonly outputsF32: Readonly<Record<string, GoldenOutput>>;
  /** Where PyTorch lost accuracy: the accurate answer. */
  readonly outputsExact: Readonly<Record<string, GoldenOutput>>;
  /** PyTorch raised this. */
  readonly error: string | undefined;
  /** What its matrices are to be stored in, where that is not f32; see conformance/quantised.ts. */
  readonly dtype?: 'f16' | 'bf16';
}

export interface Golden {
  readonly cases: readonly GoldenCase[];
}

interface StoredRecord {
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly file: string;
  readonly offset: number;
  readonly count: number;
}
interface GeneratedRecord {
  readonly dtype: 'f32';
  readonly shape: number[];
  readonly gen: {
    readonly seed: number;
    readonly offset: number;
    readonly shift: number;
    readonly patch: readonly {
      readonly from: number;
      readonly to: number;
      readonly value: number | string;
    }[];
  };
}
interface SummaryRecord {
  readonly dtype: Dtype;
  readonly shape: number[];
  readonly summary: Record<'index' | 'value' | 'row_sum' | 'row_abs_sum', StoredRecord>;
}
type TensorRecord = StoredRecord | GeneratedRecord | SummaryRecord;
type TensorRecords = Record<string, TensorRecord>;
interface CaseRecord {
  readonly name: string;
  readonly op: string;
  readonly tags: string[];
  readonly options: GoldenOptions;
  readonly inputs: TensorRecords;
  readonly outputs?: TensorRecords;
  readonly outputs_f32?: TensorRecords;
  readonly outputs_exact?: TensorRecords;
  readonly error?: string;
}

/**
 * @param manifest the text of manifest.json
 * @param files the bytes of each file it names
 */
export function parseGolden(manifest: string, files: Readonly<Record<string, ArrayBuffer>>): Golden {
  const parsed = JSON.parse(manifest) as { readonly format: string; readonly cases: CaseRecord[] };
  if (parsed.format !== 'golden-loss/1')
    throw new Error(`Golden data of an unknown format: ${parsed.format}`);

  const stored = (record: StoredRecord): Values => {
    const bytes = files[record.file];
    if (!bytes) throw new Error(`Golden data: no bytes for ${record.file}`);
    return new ARRAYS[record.dtype](bytes, record.offset, record.count);
  };
  const tensor = (record: TensorRecord): GoldenOutput => {
    const { dtype, shape } = record;
    if ('summary' in record) {
      const { index, value, row_sum, row_abs_sum } = record.summary;
      return {
        dtype,
        shape,
        summary: {
          index: stored(index) as Int32Array,
          value: stored(value) as Float64Array,
          rowSum: stored(row_sum) as Float64Array,
          rowAbsSum: stored(row_abs_sum) as Float64Array,
        },
      };
    }
    if ('gen' in record) {
      // A getter: the generated inputs of all cases together are too large to hold.
      return {
        dtype,
        shape,
        get data() {
          return generate(record);
        },
      };
    }
    return { dtype, shape, data: stored(record) };
  };
  const tensors = (records: TensorRecords = {}): Record<string, GoldenOutput> =>
    Object.fromEntries(Object.entries(records).map(([name, record]) => [name, tensor(record)]));

  return {
    cases: parsed.cases.map((record) => ({
      name: record.name,
      op: record.op,
      tags: record.tags,
      options: record.options,
      inputs: tensors(record.inputs) as Record<string, GoldenTensor>,
      outputs: tensors(record.outputs),
      outputsF32: tensors(record.outputs_f32),
      outputsExact: tensors(record.outputs_exact),
      error: record.error,
    })),
  };
}

/** The first `count` outputs of mulberry32. */
export function mulberry32(seed: number, count: number): Uint32Array {
  const out = new Uint32Array(count);
  let a = seed >>> 0;
  for (let i = 0; i < count; i++) {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t = (t + Math.imul(t ^ (t >>> 7), t | 61)) ^ t;
    out[i] = (t ^ (t >>> 14)) >>> 0;
  }
  return out;
}

function generate({ shape, gen }: GeneratedRecord): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const raw = mulberry32(gen.seed, count);
  const values = new Float32Array(count);
  const unit = 2 ** -gen.shift;
  for (let i = 0; i < count; i++) values[i] = (((raw[i] as number) >>> 8) - gen.offset) * unit;
  for (const { from, to, value } of gen.patch) values.fill(Number(value), from, to);
  return values;
}
