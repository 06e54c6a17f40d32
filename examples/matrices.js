// Products of row-major matrices in plain JavaScript, for models that are small beside their loss.

/** a b: [rows, inner] times [inner, columns]. */
export function multiply(a, b, rows, inner, columns) {
  const product = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++)
      addScaled(product, i * columns, a[i * inner + k], b, k * columns, columns);
  }
  return product;
}

/** aᵀ b: of [rows, inner] and [rows, columns], which gives [inner, columns]; the gradient with respect to b above. */
export function multiplyTransposed(a, b, rows, inner, columns) {
  const product = new Float32Array(inner * columns);
  for (let i = 0; i < rows; i++) {
    for (let k = 0; k < inner; k++)
      addScaled(product, k * columns, a[i * inner + k], b, i * columns, columns);
  }
  return product;
}

/** The same matrix with rows and columns exchanged: [rows, columns] to [columns, rows]. */
export function transpose(a, rows, columns) {
  return a.map((_, i) => a[(i % rows) * columns + Math.floor(i / rows)]);
}

/** `sum[at + j] += factor * values[from + j]` for all j below `count`; most pixels of an image are 0, and cost nothing. */
function addScaled(sum, at, factor, values, from, count) {
  if (factor === 0) return;
  for (let j = 0; j < count; j++) sum[at + j] += factor * values[from + j];
}
