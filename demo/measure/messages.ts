// What the page and its worker tell each other.
import type { AdapterFacts } from 'webgpu-loss';
import type { Case } from '../../bench/measure/contender.js';
import type { Row } from '../../bench/report/row.js';
import type { Choice } from '../backend.js';

/** From the page. `open` comes first, once; one `run` at a time. */
export type Order =
  | { readonly kind: 'open'; readonly choice: Choice }
  | { readonly kind: 'run'; readonly cases: readonly Case[] };

/** From the worker. */
export type News =
  /** A context is there, the first one or one in the place of a lost one. */
  | { readonly kind: 'opened'; readonly said: string; readonly facts: AdapterFacts }
  /** `done` from 0 to 1. */
  | { readonly kind: 'progress'; readonly done: number; readonly doing: string }
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'finished' }
  /** The run is over, or there is no context. */
  | { readonly kind: 'failed'; readonly message: string };
