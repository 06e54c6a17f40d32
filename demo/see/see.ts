import type { Choice } from '../backend.js';

export function mountSee(_root: HTMLElement, _choice: Choice): void {}
