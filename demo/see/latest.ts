/**
 * Runs `work` when it is asked to, one run at a time: what is asked for during a run comes after it, once, with what is newest then.
 *
 * @param report gets what a run rejects with
 */
export function latest(work: () => Promise<void>, report: (error: unknown) => void): () => void {
  let running = false;
  let again = false;
  const run = async (): Promise<void> => {
    running = true;
    do {
      again = false;
      await work().catch(report);
    } while (again);
    running = false;
  };
  return () => {
    if (running) again = true;
    else void run();
  };
}
