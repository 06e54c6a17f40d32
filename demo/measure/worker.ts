// Measures, where a kernel of a second does not stop the page. Cancelling is ending the worker.
import { type LastingContext, lastingContext } from '../backend.js';
import { measureCase } from './measureCase.js';
import type { News, Order } from './messages.js';

function tell(news: News): void {
  postMessage(news);
}

let context: LastingContext | undefined;

async function obey(order: Order): Promise<void> {
  if (order.kind === 'open') {
    context = lastingContext(order.choice, (said, { info }) => tell({ kind: 'opened', said, facts: info }));
    await context.current();
    return;
  }
  if (context === undefined) throw new Error('a run was ordered before a context');
  const { cases } = order;
  for (const [k, of] of cases.entries()) {
    const rows = await measureCase(of, context, (part, doing) =>
      tell({ kind: 'progress', done: (k + part) / cases.length, doing }),
    );
    tell({ kind: 'rows', rows });
  }
  tell({ kind: 'finished' });
}

addEventListener('message', ({ data }: MessageEvent<Order>) => {
  obey(data).catch((error: unknown) =>
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  );
});
