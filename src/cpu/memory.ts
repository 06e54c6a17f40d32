/** Below this, new memory costs next to nothing. */
const LEAST_BYTES = 2 ** 16;
const MOST_KEPT = 16;

/**
 * Memory of destroyed tensors, for those to come: to get fresh pages from the system takes longer than most operations on them. Only weakly
 * held, so that the collector may have it at any time.
 *
 * What is taken still holds what was there before; whoever takes it writes all of it.
 */
export class Memory {
  private readonly freed: WeakRef<ArrayBuffer>[] = [];

  take(bytes: number): ArrayBuffer {
    for (let k = this.freed.length - 1; k >= 0; k--) {
      const memory = this.freed[k]?.deref();
      if (memory?.byteLength !== bytes) continue;
      this.freed.splice(k, 1);
      return memory;
    }
    return new ArrayBuffer(bytes);
  }

  give(memory: ArrayBuffer): void {
    if (memory.byteLength < LEAST_BYTES) return;
    this.freed.push(new WeakRef(memory));
    if (this.freed.length > MOST_KEPT) this.freed.shift();
  }
}
