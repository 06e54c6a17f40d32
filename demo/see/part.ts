import type { LastingContext } from '../backend.js';

/**
 * Mounts a part of the panel.
 *
 * @param report shows what went wrong
 */
export type Part = (root: HTMLElement, context: LastingContext, report: (error: unknown) => void) => void;
