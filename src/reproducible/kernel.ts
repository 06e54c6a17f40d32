import type { RowPass, Source } from '../plan/pass.js';
import type { Flags, KernelRole, Variant } from '../plan/variant.js';
import { BITS_NEG_INF, bitsOf } from './float.js';

/** The parameters that are floats, as float32. */
export interface Numbers {
  readonly gradOutput: number;
  readonly divisor: number;
  readonly keep: number;
  readonly spread: number;
  readonly prescale: number;
  readonly postscale: number;
  readonly gapScale: number;
  readonly chain: number;
  readonly cap: number;
  readonly uncap: number;
  readonly zLoss: number;
}

/** What the WGSL functions of a kernel see: one pass, its numbers and its buffers. */
export class Kernel {
  readonly pass: RowPass;
  readonly variant: Variant;
  readonly flags: Flags;
  readonly classes: number;
  readonly numbers: Numbers;
  readonly handover: Accessor;
  private readonly buffers: (source: Source) => Uint32Array;

  constructor(pass: RowPass, buffers: (source: Source) => Uint32Array) {
    this.pass = pass;
    this.variant = pass.variant;
    this.flags = pass.variant.flags;
    this.classes = pass.classes;
    this.buffers = buffers;
    const f32 = (value: number | undefined): number => Math.fround(value ?? 0);
    const { constants } = pass;
    this.numbers = {
      gradOutput: f32(constants.gradOutput),
      divisor: f32(constants.divisor),
      keep: f32(constants.keep),
      spread: f32(constants.spread),
      prescale: f32(constants.prescale),
      postscale: f32(constants.postscale),
      gapScale: f32(constants.gapScale),
      chain: f32(constants.chain),
      cap: f32(constants.cap),
      uncap: f32(constants.uncap),
      zLoss: f32(constants.zLoss),
    };
    this.handover = this.accessor('handover', { kind: 'vector', use: 'write', stages: [] });
  }

  /** The role's buffer, or what stands in for it where the pass does not bind it. */
  role(name: string): Accessor {
    return this.accessor(name, this.variant.epilogue.roles[name] as KernelRole);
  }

  isIgnored(target: number): boolean {
    const { ignoreIndex } = this.pass.constants;
    return ignoreIndex !== undefined && target === ignoreIndex >>> 0;
  }

  recordAt(row: number): number {
    return this.pass.records + row * this.variant.epilogue.words;
  }

  private accessor(name: string, role: KernelRole): Accessor {
    const home = this.variant.aliases[name] ?? name;
    const source = this.pass.sources[home];
    const words = source === undefined ? undefined : this.buffers(source);
    const inner = role.kind === 'matrix' ? this.pass.inner : 1;
    return new Accessor({
      words,
      writable: this.variant.bindings.some((binding) => binding.role === home && binding.write),
      stride: source?.stride ?? 0,
      inner,
      classes: this.classes,
      pad: this.literal(role.pad),
      absent: this.literal(role.absent),
    });
  }

  /** The value of the WGSL that a role gives for what is not there. */
  private literal(text = '0u'): number {
    switch (text) {
      case 'BITS_NEG_INF':
        return BITS_NEG_INF;
      case 'bitcast<u32>(params.grad_output)':
        return bitsOf(this.numbers.gradOutput);
      case 'bitcast<u32>(params.divisor)':
        return bitsOf(this.numbers.divisor);
      default: {
        const value = Number(text.replace(/u$/, ''));
        if (!Number.isInteger(value)) throw new Error(`the reproducible arithmetic has no ${text}`);
        return value;
      }
    }
  }
}

interface Place {
  readonly words: Uint32Array | undefined;
  readonly writable: boolean;
  readonly stride: number;
  readonly inner: number;
  readonly classes: number;
  readonly pad: number;
  readonly absent: number;
}

/** Reads and writes one role: the functions of shaders/access. */
export class Accessor {
  private readonly words: Uint32Array | undefined;
  private readonly writable: boolean;
  private readonly stride: number;
  private readonly inner: number;
  private readonly classes: number;
  private readonly pad: number;
  private readonly absent: number;

  constructor({ words, writable, stride, inner, classes, pad, absent }: Place) {
    this.words = words;
    this.writable = writable;
    this.stride = stride;
    this.inner = inner;
    this.classes = classes;
    this.pad = pad;
    this.absent = absent;
  }

  /** Of a vector. */
  get(at: number): number {
    return this.words === undefined ? this.absent : (this.words[at * this.stride] as number);
  }

  put(at: number, bits: number): void {
    if (this.words !== undefined && this.writable) this.words[at] = bits;
  }

  /** Of a matrix; behind the end of a row there is padding. */
  load(row: number, c: number): number {
    if (this.words === undefined) return this.absent;
    return c < this.classes ? (this.words[this.place(row, c)] as number) : this.pad;
  }

  /** Of a matrix, also of a class that is no place in this pass's rows. */
  pick(row: number, c: number): number {
    return this.words === undefined ? this.absent : (this.words[this.place(row, c)] as number);
  }

  store(row: number, c: number, bits: number): void {
    if (this.words !== undefined && this.writable) this.words[this.place(row, c)] = bits;
  }

  private place(row: number, c: number): number {
    const { inner, stride } = this;
    if (inner === 1) return row * stride + c;
    return Math.floor(row / inner) * stride + (row % inner) + c * inner;
  }
}
