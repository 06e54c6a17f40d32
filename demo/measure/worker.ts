// Measures, where a kernel of a second does not stop the page. Cancelling is ending the worker.
import type { Case } from '../../bench/measure/contender.js';
import { type LastingContext, lastingContext } from '../backend.js';
import { measureCase } from './measureCase.js';
import type { News, Order } from './messages.js';

function tell(news: News): void {
  postMessage(news);
}

let context: LastingContext | undefined;

/** One for all pages of this site. */
const LOCK = 'webgpu-loss: measuring';

/**
 * Runs `work` when no other worker measures, of this page or of another one: two would time each other. One that was ended counts until
 * it is gone, which may take it seconds. Without https there are no locks, and nothing is waited for.
 */
async function alone(work: () => Promise<void>): Promise<void> {
  if (navigator.locks === undefined) return work();
  tell({ kind: 'progress', done: 0, doing: 'waiting until nothing else is measured' });
  await navigator.locks.request(LOCK, work);
}

async function obey(order: Order): Promise<void> {
  if (order.kind === 'open') {
    context = lastingContext(order.choice, (said, { info }) => tell({ kind: 'opened', said, facts: info }));
    await context.current();
    return;
  }
  await alone(() => run(order.cases));
  tell({ kind: 'finished' });
}

async function run(cases: readonly Case[]): Promise<void> {
  if (context === undefined) throw new Error('a run was ordered before a context');
  for (const [k, of] of cases.entries()) {
    const rows = await measureCase(of, context, (part, doing) =>
      tell({ kind: 'progress', done: (k + part) / cases.length, doing }),
    );
    tell({ kind: 'rows', rows });
  }
}

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  obey(data).catch((error: unknown) =>
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
