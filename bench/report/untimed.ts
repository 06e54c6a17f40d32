/** Why a contender has no time, in its place in a table. */
export function untimed({
  wrong,
  leftOut,
}: {
  readonly wrong?: string | undefined;
  readonly leftOut?: string | undefined;
}): string {
  return wrong === undefined ? `left out: ${leftOut}` : `wrong: ${wrong}`;
}
