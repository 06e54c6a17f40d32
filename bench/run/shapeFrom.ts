import { OptionError } from '../../scripts/arguments.js';
import type { Shape } from '../measure/cases.js';

// Past this, the tensors no longer fit in the memory of most machines.
const MOST_ELEMENTS = 2 ** 30;

/**
 * A shape from the command line: `1024x1000`.
 *
 * @param others what `--shape` takes besides, for the message
 */
export function shapeFrom(text: string, others = ''): Shape {
  const [rows = 0, classes = 0] = /^\d{1,9}x\d{1,9}$/.test(text) ? text.split('x').map(Number) : [];
  if (!(rows > 0 && classes > 0 && rows * classes <= MOST_ELEMENTS)) {
    throw new OptionError(
      `--shape must be ${others}ROWSxCLASSES with at most ${MOST_ELEMENTS} elements, not "${text}"`,
    );
  }
  return [rows, classes];
}
