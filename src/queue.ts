/** What is asked of a context, one after another in the order in which it was asked. */
export class Queue {
  #tail: Promise<unknown> = Promise.resolve();

  /** Does `work` after all that was asked before. */
  add<T>(work: () => T | Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  /** Resolves when all that was asked before has been done. */
  settled(): Promise<unknown> {
    return this.#tail;
  }
}
