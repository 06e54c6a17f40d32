import type { Choice } from '../backend.js';

export function mountMeasure(_root: HTMLElement, _choice: Choice): void {}
