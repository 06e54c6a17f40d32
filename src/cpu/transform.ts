/** Divides each logit by the temperature. */
export function divideRow(row: Float64Array, temperature: number): void {
  if (temperature === 1) return;
  for (let c = 0; c < row.length; c++) row[c] = (row[c] as number) / temperature;
}

/**
 * `softcap * tanh(x / softcap)` for each logit, and the derivative of it.
 *
 * The derivative is `sech(x / softcap)^2`, written as `4 e / (1 + e)^2` with `e = exp(-2 |x| / softcap)`:
 * `1 - tanh^2` would lose every digit where the cap bites.
 *
 * @param slopes `[classes]`, overwritten with the derivatives
 */
export function softcapRow(row: Float64Array, softcap: number, slopes: Float64Array): void {
  for (let c = 0; c < row.length; c++) {
    const scaled = (row[c] as number) / softcap;
    const e = Math.exp(-2 * Math.abs(scaled));
    row[c] = softcap * Math.tanh(scaled);
    slopes[c] = (4 * e) / ((1 + e) * (1 + e));
  }
}
