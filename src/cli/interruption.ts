const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Has `restore` run where Ctrl-C or `kill` ends the process, which ends all the same: what a progress bar does to a terminal, such as to
 * keep lines from wrapping, outlives the process. Only for work that lets go of the event loop now and then: until it does, no signal is heard.
 *
 * @returns what takes that back
 */
export function onInterruption(restore: () => void): () => void {
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
  };
  const interrupted = (signal: NodeJS.Signals): void => {
    release();
    restore();
    // Nobody listens any more, so this time it ends the process.
    process.kill(process.pid, signal);
  };
  for (const signal of SIGNALS) process.on(signal, interrupted);
  return release;
}
