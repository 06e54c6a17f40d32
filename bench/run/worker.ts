// Each adapter is measured in a process of its own: drivers and their settings belong to a process, and one that crashes takes
// only its own results down.

import { fork } from 'node:child_process';
import * as library from 'webgpu-loss';
import { WebGpuUnavailableError } from '../../src/errors.js';
import type { Library } from '../measure/ours.js';
import type { Row } from '../report/row.js';
import { openAdapter } from './adapter.js';
import { type BenchPlan, bench, type Rival } from './bench.js';

/** A bench plan, and where to find another build of the library. */
export interface Task extends BenchPlan {
  readonly versions: Readonly<Record<string, string>>;
  readonly rival?: { readonly name: string; readonly entry: string } | undefined;
}

type Message =
  | { readonly kind: 'rows'; readonly rows: readonly Row[] }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  | { readonly kind: 'done' };

/** The first argument of a process that is to do a task. */
export const WORKER = '--worker';

/** Drivers keep what they have compiled on the disk: a first call is to compile, not to find what an earlier run has left. */
const WITHOUT_CACHES = { MESA_SHADER_CACHE_DISABLE: 'true', __GL_SHADER_DISK_CACHE: '0' };

/** A machine without the adapter is no failure, unless it was asked for. */
export class MissingAdapter extends Error {
  override name = 'MissingAdapter';
}

/**
 * Does a task in a new process of this program, and hands over the rows of each case as they come.
 *
 * @throws MissingAdapter; Error where the process failed, with what it said
 */
export async function inWorker(task: Task, onRows: (rows: readonly Row[]) => void): Promise<void> {
  const child = fork(process.argv[1] as string, [WORKER], {
    stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { ...process.env, ...(task.quick ? {} : WITHOUT_CACHES) },
  });
  let last: Message | undefined;
  let complaints = '';
  // Drivers warn of this and that; it matters only where something fails.
  child.stderr?.on('data', (chunk) => {
    complaints += String(chunk);
  });
  child.on('message', (message: Message) => {
    last = message;
    if (message.kind === 'rows') onRows(message.rows);
  });
  child.send(task);
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (...ending) => resolve(ending));
  });
  if (last?.kind === 'missing') throw new MissingAdapter(last.reason);
  if (last?.kind === 'failed') throw new Error(last.reason);
  if (last?.kind !== 'done') {
    throw new Error(
      `its process ended with ${signal ?? `code ${code}`}: ${complaints.trim() || 'it said nothing'}`,
    );
  }
}

/** What a process does that was started by `inWorker`. */
export function runWorker(): void {
  process.once('message', async (task: Task) => {
    const last = await work(task);
    // At once: some drivers crash while they are taken down.
    process.send?.(last, () => process.exit(0));
  });
}

async function work(task: Task): Promise<Message> {
  try {
    const rival: Rival | undefined = task.rival && {
      name: task.rival.name,
      library: (await import(task.rival.entry)) as Library,
    };
    const open = await openAdapter(library, task.adapter);
    const surroundings = { library, open, versions: task.versions, ...(rival && { rival }) };
    for await (const { rows } of bench(task, surroundings)) process.send?.({ kind: 'rows', rows });
    return { kind: 'done' };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: error instanceof WebGpuUnavailableError ? 'missing' : 'failed', reason };
  }
}
