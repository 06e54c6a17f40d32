// What the checks assert with: they run in Node and in a page, so without a test framework.

import { LossError } from '../../src/index.js';
import type { Check, Env } from './check.js';

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) throw new Error(`${what} is ${show(actual)}, expected ${show(expected)}`);
}

/** Same length, and the same 32 bits in every place. */
export function sameBits(actual: ArrayBufferView, expected: ArrayBufferView, what: string): void {
  const [a, b] = [wordsOf(actual), wordsOf(expected)];
  equal(a.length, b.length, `${what}: the length`);
  const at = a.findIndex((word, i) => word !== b[i]);
  if (at < 0) return;
  const floats = [a, b].map((words) => new Float32Array(words.slice(at, at + 1).buffer)[0]);
  throw new Error(`${what}[${at}] is ${floats[0]} (${hex(a[at])}), expected ${floats[1]} (${hex(b[at])})`);
}

/** The bits of an array, four bytes at a time. */
export function wordsOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint32Array {
  return new Uint32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4);
}

function hex(word: number | undefined): string {
  return `0x${(word ?? 0).toString(16).padStart(8, '0')}`;
}

export function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

type ErrorClass<E> = abstract new (...args: never[]) => E;

/** What `promise` rejects with, which must be an error of the library of class `kind`, with `words` in its message. */
export async function rejects<E extends Error>(
  kind: ErrorClass<E>,
  promise: PromiseLike<unknown>,
  what: string,
  words: RegExp = /./,
): Promise<E> {
  let outcome: unknown;
  try {
    outcome = await promise;
  } catch (error) {
    return expectError(kind, error, what, words);
  }
  throw new Error(`${what}: ${kind.name} was expected, but it gave ${show(outcome)}`);
}

function expectError<E extends Error>(kind: ErrorClass<E>, error: unknown, what: string, words: RegExp): E {
  assert(error instanceof kind, `${what}: ${kind.name} was expected, not ${show(error)}`);
  equal(error.name, kind.name, `${what}: the error's name`);
  assert(error instanceof LossError, `${what}: ${error.name} is not a LossError`);
  assert(error instanceof Error, `${what}: ${error.name} is not an Error`);
  assert((error as LossError).op !== '', `${what}: the error does not say which op it is of`);
  assert(words.test(error.message), `${what}: the message lacks ${words}: ${error.message}`);
  return error as unknown as E;
}

/** Something that must be refused, what to call it, and what the message must tell. */
export type Attempt = readonly [what: string, action: () => unknown, words: RegExp];

/**
 * Every attempt must fail with `kind`: `'throws'` at once, `'rejects'` in the promise it returns. Tells of all that do not.
 */
export async function refusesAll<E extends Error>(
  kind: ErrorClass<E>,
  how: 'throws' | 'rejects',
  attempts: readonly Attempt[],
): Promise<void> {
  assert(attempts.length > 0, 'nothing to refuse');
  const complaints: string[] = [];
  for (const [what, action, words] of attempts) {
    try {
      const outcome = start(action, how);
      await rejects(kind, outcome, what, words);
    } catch (error) {
      complaints.push((error as Error).message);
    }
  }
  if (complaints.length > 0) {
    throw new Error(`${complaints.length} of ${attempts.length}:\n${complaints.join('\n')}`);
  }
}

/** Runs the action; gives its outcome as a promise, if it came in the way it should. */
function start(action: () => unknown, how: 'throws' | 'rejects'): Promise<unknown> {
  let result: unknown;
  try {
    result = action();
  } catch (error) {
    if (how === 'throws') return Promise.reject(error);
    throw new Error(`a call that returns a promise threw at once: ${show(error)}`);
  }
  if (how === 'throws' || !(result instanceof Promise)) return Promise.resolve(result);
  return result;
}

/** What was made during a check, to be destroyed at its end, also when it fails. */
export type Keep = <T extends { destroy(): void }>(made: T) => T;

/** A check that keeps what it makes until its end. */
export function check(name: string, body: (env: Env, keep: Keep) => Promise<void>): Check {
  return {
    name,
    async run(env) {
      const kept: { destroy(): void }[] = [];
      try {
        await body(env, (made) => {
          kept.push(made);
          return made;
        });
      } finally {
        for (const made of kept.reverse()) made.destroy();
      }
    },
  };
}

/** A check of what only a GPU has; elsewhere there is nothing to do. */
export function gpuCheck(
  name: string,
  body: (env: Env, keep: Keep, device: GPUDevice) => Promise<void>,
): Check {
  return check(name, async (env, keep) => {
    if (env.ctx.device !== undefined) await body(env, keep, env.ctx.device);
  });
}
