import { OptionError } from '../../scripts/arguments.js';
import { type AnyShape, isLinearShape, type Shape } from '../measure/cases.js';
import type { OpName } from '../measure/contender.js';
import { isLinear } from '../measure/tensors.js';

// Past this, the tensors no longer fit in the memory of most machines.
const MOST_ELEMENTS = 2 ** 30;

const FORM = 'ROWSxCLASSES';
const LINEAR_FORM = 'ROWSxFEATURESxCLASSES';

/** What the shapes of an operation look like, for messages. */
export function neededBy(op: OpName): string {
  return isLinear(op)
    ? `${op} needs ${LINEAR_FORM}, such as 256x256x8192`
    : `${op} needs ${FORM}, such as 1024x1000`;
}

/**
 * A shape from the command line: `1024x1000`.
 *
 * @param others what `--shape` takes besides, for the message
 */
export function shapeFrom(text: string, others = ''): Shape {
  const shape = anyShapeFrom(text, others, FORM);
  if (isLinearShape(shape)) throw wrongShape(text, others, FORM);
  return shape;
}

/** The same, or the shape of a linear layer: `256x256x8192`. Its matrices of hidden states and of weights must not be too large. */
export function anyShapeFrom(text: string, others = '', form = `${FORM} or ${LINEAR_FORM}`): AnyShape {
  const sizes = /^\d{1,9}(x\d{1,9}){1,2}$/.test(text) ? text.split('x').map(Number) : [];
  const [rows = 0, middle = 0, last] = sizes;
  const most = last === undefined ? rows * middle : Math.max(rows, last) * middle;
  if (sizes.length === 0 || sizes.includes(0) || most > MOST_ELEMENTS) throw wrongShape(text, others, form);
  return last === undefined ? [rows, middle] : [rows, middle, last];
}

function wrongShape(text: string, others: string, form: string): OptionError {
  return new OptionError(
    `--shape must be ${others}${form} with at most ${MOST_ELEMENTS} elements${form === FORM ? '' : ' in a matrix'}, not "${text}"`,
  );
}
