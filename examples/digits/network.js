// A network with one hidden layer, in plain JavaScript: all that the loss does not do.
import { normals } from '../common/random.js';
import { multiply, multiplyTransposed, transpose } from '../matrices.js';
import { CLASSES, PIXELS } from './data.js';

const HIDDEN = 64;

/** Random weights, of a size that keeps the variance of what goes through; biases of 0. */
export function newNetwork(random) {
  const weights = (inputs, outputs) =>
    normals(random, inputs * outputs).map((x) => x * Math.sqrt(2 / inputs));
  return {
    w1: weights(PIXELS, HIDDEN),
    b1: new Float32Array(HIDDEN),
    w2: weights(HIDDEN, CLASSES),
    b2: new Float32Array(CLASSES),
  };
}

/** From images, [rows, PIXELS], to logits, [rows, CLASSES]; `hidden` is kept for the way back. */
export function forward({ w1, b1, w2, b2 }, images) {
  const rows = images.length / PIXELS;
  const hidden = addRow(multiply(images, w1, rows, PIXELS, HIDDEN), b1).map((x) => Math.max(x, 0));
  return { hidden, logits: addRow(multiply(hidden, w2, rows, HIDDEN, CLASSES), b2) };
}

/** From the gradient with respect to the logits to those with respect to each weight and bias. */
export function backward({ w2 }, images, hidden, gradLogits) {
  const rows = images.length / PIXELS;
  const gradHidden = multiply(gradLogits, transpose(w2, HIDDEN, CLASSES), rows, CLASSES, HIDDEN).map(
    (slope, i) => (hidden[i] > 0 ? slope : 0),
  );
  return {
    w1: multiplyTransposed(images, gradHidden, rows, PIXELS, HIDDEN),
    b1: sumOfRows(gradHidden, HIDDEN),
    w2: multiplyTransposed(hidden, gradLogits, rows, HIDDEN, CLASSES),
    b2: sumOfRows(gradLogits, CLASSES),
  };
}

const addRow = (matrix, row) => matrix.map((x, i) => x + row[i % row.length]);

function sumOfRows(matrix, columns) {
  const sum = new Float32Array(columns);
  for (const [i, x] of matrix.entries()) sum[i % columns] += x;
  return sum;
}
