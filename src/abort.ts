// What a read with a signal needs besides: loaded by the first one.
import { aborted, throwIfAborted } from './tensor.js';

/** `promise`, or an `AbortedError` as soon as `signal` fires. */
export async function orAborted<T>(op: string, signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let stop: () => void = () => undefined;
  const fired = new Promise<never>((_, reject) => {
    stop = () => reject(aborted(op, signal));
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    throwIfAborted(op, signal);
    return await Promise.race([promise, fired]);
  } finally {
    signal.removeEventListener('abort', stop);
    fired.catch(() => undefined);
  }
}
