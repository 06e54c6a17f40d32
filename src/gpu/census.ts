import { type LossError, TargetOutOfRangeError } from '../errors.js';
import { CENSUS_WORDS, NO_ROW } from '../plan/epilogue/census.js';
import { type Role, type Spec, shapesOf } from '../spec.js';
import type { Verdict } from '../work.js';
import type { LossDevice } from './device.js';
import { download } from './readback.js';

/** The scratch buffer that outlives its call: what it says is asked when a result is read. */
export const CENSUS = 'census';

const BAD_ROW = 2;
const BAD_VALUE = 3;

/** Whether all targets were in range: in the buffer that the census pass wrote, read when a result is. */
export class CensusVerdict implements Verdict {
  readonly #runtime: LossDevice;
  readonly #buffer: GPUBuffer;
  readonly #spec: Spec;
  #holders = 0;

  constructor(runtime: LossDevice, buffer: GPUBuffer, spec: Spec) {
    this.#runtime = runtime;
    this.#buffer = buffer;
    this.#spec = spec;
  }

  retain(): void {
    this.#holders += 1;
  }

  release(): void {
    this.#holders -= 1;
    if (this.#holders === 0) this.#buffer.destroy();
  }

  async ask(): Promise<LossError | undefined> {
    const { op, roles, targetClasses = 0, ignorable = true } = this.#spec;
    const { failure, bytes } = download(this.#runtime, this.#buffer, 0, CENSUS_WORDS * 4);
    const error = await failure;
    if (error !== undefined) return error;
    const words = new Uint32Array(await bytes);
    const row = words[BAD_ROW] as number;
    if (row === NO_ROW) return undefined;
    const raw = words[BAD_VALUE] as number;
    const value = (roles['targets'] as Role).dtype === 'i32' ? raw | 0 : raw;
    return new TargetOutOfRangeError(
      { row, value, classes: targetClasses, ignorable },
      { op, shapes: shapesOf(roles), adapter: this.#runtime.facts },
    );
  }
}
