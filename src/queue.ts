/** What is asked of a context, one after another in the order in which it was asked. */
export class Queue {
  /** Ends with what was asked last; undefined where nothing is left to be done. */
  #last: Promise<unknown> | undefined;

  /** Does `work` after all that was asked before: at once, where that has been done. */
  add<T>(work: () => T | Promise<T>): Promise<T> {
    let turn: Promise<T>;
    if (this.#last === undefined) {
      try {
        const done = work();
        if (!(done instanceof Promise)) return Promise.resolve(done);
        turn = done;
      } catch (error) {
        return Promise.reject(error);
      }
    } else {
      turn = this.#last.then(work);
    }
    const end = turn
      .catch(() => undefined)
      .then(() => {
        if (this.#last === end) this.#last = undefined;
      });
    this.#last = end;
    return turn;
  }
}
