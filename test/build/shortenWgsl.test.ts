// That short shaders compute the same is shown by the target `chromium`, which runs every check with them.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SAID_IN_TYPESCRIPT, wgslShortener } from '../../scripts/shortenWgsl.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(root, file), 'utf8');
const shaders = readdirSync(join(root, 'shaders'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.wgsl'))
  .map((file) => read(`shaders/${file}`));

/** A file that is a library of its own, shortened. */
function alone(source: string): string {
  return wgslShortener([source])(source);
}

test('comments and blanks go, names become short', () => {
  const source = `
// What a row sums up to.
struct Sums { total: f32, met: u32, }
fn total_of(row: u32, sums: Sums) -> f32 {
  /* A local name
     for a member. */
  let total = sums.total;
  return select(total, 0.0, row == 0u);
}`;
  expect(alone(source)).toBe(
    'struct A{c:f32,d:u32}fn B(a:u32,b:A)->f32{let c=b.c;return select(c,0.,a==0u);}',
  );
});

test('a name is the same in all files, a variable only within its function', () => {
  const files = [
    'const LEAST: f32 = 0.5;',
    'fn least(least_of: f32) -> f32 { return max(least_of, LEAST); }',
  ];
  const shorten = wgslShortener(files);
  expect(files.map(shorten)).toEqual(['const A:f32=.5;', 'fn B(a:f32)->f32{return max(a,A);}']);
});

test('a variable of the module may have the name of a member', () => {
  const files = [
    'struct Count { kept: u32 }',
    'var<private> kept: array<u32, 4>;\nfn first() -> u32 { return kept[0]; }',
  ];
  const shorten = wgslShortener(files);
  expect(files.map(shorten)).toEqual([
    'struct B{c:u32}',
    'var<private>A:array<u32,4>;fn C()->u32{return A[0];}',
  ]);
});

test('what no file declares keeps its name: functions of WGSL, and what is generated', () => {
  const source = 'fn f(row: u32) -> u32 { return pick_logits(row, min(row, WIDTH)); }';
  expect(alone(source)).toBe('fn A(a:u32)->u32{return pick_logits(a,min(a,WIDTH));}');
});

test('names with a placeholder stay, and names that it may stand for', () => {
  const files = [
    'fn load_NAME(at: u32) -> u32 { return unpack_PACKING(at); }',
    'fn unpack_f16(h: u32) -> u32 { return h; }',
  ];
  const shorten = wgslShortener(files);
  expect(files.map(shorten)).toEqual([
    'fn load_NAME(a:u32)->u32{return unpack_PACKING(a);}',
    'fn unpack_f16(a:u32)->u32{return a;}',
  ]);
});

test('parts of vectors are not taken for members', () => {
  const source =
    'struct Pair { x: u32, other: u32 } fn f(p: Pair, v: vec4<u32>) -> u32 { return v.x + v.yz.y + p.x + p.other; }';
  expect(alone(source)).toBe('struct A{x:u32,c:u32}fn B(a:A,b:vec4u)->u32{return b.x+b.yz.y+a.x+a.c;}');
});

test('operators are not joined to others', () => {
  const source =
    'fn f(a: i32, p: ptr<function, i32>) -> bool { let c: vec4<bool> = g(); return a - -a < -(*p) && a> - 1; }';
  expect(alone(source)).toBe(
    'fn A(a:i32,b:ptr<function,i32>)->bool{let c:vec4<bool> =g();return a- -a<-(*b)&&a>-1;}',
  );
});

test('a name that is a variable and a function in one place is refused', () => {
  const source =
    'fn sum(x: f32) -> f32 { return x; } fn f(x: f32) -> f32 { let y = sum(x); let sum = y; return sum; }';
  expect(() => alone(source)).toThrow('sum is both a variable and a function');
});

test('the names that TypeScript says are said there, and declared in WGSL', () => {
  const said = ['src/gpu/shader.ts', 'src/gpu/productShader.ts', 'src/plan/epilogue/roles.ts']
    .map(read)
    .join('\n');
  for (const name of SAID_IN_TYPESCRIPT.filter((other) => other !== 'main')) {
    expect(said).toMatch(new RegExp(`\\b${name}\\b`));
    expect(shaders.join('\n')).toMatch(new RegExp(`(struct|const) ${name}\\b|\\b${name}: `));
  }
});

test('the shaders of the library get shorter by more than half', () => {
  const shorten = wgslShortener(shaders);
  const length = (texts: readonly string[]): number => texts.reduce((sum, text) => sum + text.length, 0);
  expect(length(shaders.map(shorten))).toBeLessThan(0.5 * length(shaders));
});
