// Runs the conformance checks in whatever environment this module is loaded: Node, or a page.
import type { Context, ContextOptions } from '../../src/index.js';
import type { Check, Env } from '../conformance/check.js';
import { checks } from '../conformance/index.js';
import type { Golden } from '../support/golden.js';
import { Ledger } from '../support/ledger.js';
import type { TargetName } from './names.js';
import type { Target } from './target.js';

export interface Environment {
  readonly target: TargetName;
  readonly golden: Golden;
  /** Makes a context on the target's adapter. */
  createContext(options?: ContextOptions): Promise<Context>;
}

/** The target that runs every check here, all on one context. */
export async function runChecks({ target, golden, createContext }: Environment): Promise<Target> {
  const uncaptured = new UncapturedErrors();
  const createWatched = async (options?: ContextOptions): Promise<Context> => {
    const made = await createContext(options);
    uncaptured.watch(made.device);
    return made;
  };
  const ctx = await createWatched();
  const ledger = new Ledger(target);
  const env: Env = { ctx, target, ledger, createContext: createWatched };
  const byName = new Map<string, Check>();
  for (const check of checks(golden, target)) {
    if (byName.has(check.name)) {
      throw new Error(`two checks are called ${JSON.stringify(check.name)}`);
    }
    byName.set(check.name, check);
  }
  const { backend, info } = ctx;
  return {
    adapter: backend === 'cpu' ? 'CPU' : info.description || `${info.vendor} ${info.architecture}`,
    features: info.features,
    checks: [...byName.keys()],
    async run(name) {
      const check = byName.get(name);
      if (check === undefined) {
        throw new Error(`there is no check ${JSON.stringify(name)}`);
      }
      const [outcome] = await Promise.allSettled([check.run(env)]);
      const errors = await uncaptured.take(ctx.device);
      if (errors.length > 0) {
        // Told first: whatever the check threw is most often a consequence.
        const cause = outcome.status === 'rejected' ? { cause: outcome.reason } : {};
        throw new Error(`a GPU error that nobody captured:\n${errors.join('\n')}`, cause);
      }
      if (outcome.status === 'rejected') {
        throw outcome.reason;
      }
    },
    ledger: async () => ledger.toJSON(),
    close: async () => ctx.destroy(),
  };
}

/** Collects GPU errors that no error scope captured: the library must leave none. */
class UncapturedErrors {
  #messages: string[] = [];

  watch(device: GPUDevice | undefined): void {
    device?.addEventListener('uncapturederror', (event) => {
      this.#messages.push(event.error.message);
    });
  }

  /** What came up since the last call. Errors arrive in order with the completion of work, so that is awaited. */
  async take(device: GPUDevice | undefined): Promise<string[]> {
    await device?.queue.onSubmittedWorkDone().catch(() => {});
    return this.#messages.splice(0);
  }
}
