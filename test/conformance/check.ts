import type { Context, ContextOptions } from '../../src/index.js';
import type { Ledger } from '../support/ledger.js';

/** Where a check runs: one context on one target. */
export interface Env {
  readonly ctx: Context;
  /** As reports call it: `cpu`, `swiftshader`, `lavapipe/subgroups`, … */
  readonly target: string;
  readonly ledger: Ledger;
  /** Another context of the same target, with these options on top. */
  createContext(options: ContextOptions): Promise<Context>;
}

/** One thing that must hold on every target. Throws or rejects if it does not. */
export interface Check {
  readonly name: string;
  run(env: Env): Promise<void>;
}
