/**
 * Makes WGSL shorter without changing what it says: no comments, no blanks, short names. Minifiers for whole shaders know no fragments;
 * ours are joined when a kernel is compiled, so a name must become the same in all files.
 */

/** Declared in WGSL, but said by TypeScript too (`src/gpu/shader.ts`, the roles in `src/plan`): these names stay. */
export const SAID_IN_TYPESCRIPT: readonly string[] = [
  'main',
  'Params',
  'places',
  'inner',
  'grad_output',
  'divisor',
  'BITS_NEG_INF',
  'columns',
  'a_lines',
  'a_length',
  'b_lines',
  'b_length',
];

/** What `src/gpu/shader.ts` replaces within names: `load_NAME` becomes `load_logits`. */
const PLACEHOLDER = /NAME|PACKING/;

interface Token {
  readonly text: string;
  readonly isWord: boolean;
  /** Something stood between the token and the one before it: blanks or a comment. */
  readonly apart: boolean;
}

const TOKEN =
  /(?<gap>(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)+)|(?<word>[A-Za-z_]\w*|0[xX][\da-fA-F.]+(?:[pP][+-]?\d+)?[iufh]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?)|[^\s\w]/g;

function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let apart = false;
  for (const { 0: text, groups } of source.matchAll(TOKEN)) {
    if (groups?.['gap'] === undefined) tokens.push({ text, isWord: groups?.['word'] !== undefined, apart });
    apart = groups?.['gap'] !== undefined;
  }
  return tokens;
}

/** What a file declares: names of the module, and members of its structs. */
interface Declarations {
  readonly names: readonly string[];
  readonly members: readonly string[];
}

function declarationsOf(tokens: readonly Token[]): Declarations {
  const names: string[] = [];
  const members: string[] = [];
  let depth = 0;
  let inStruct = false;
  tokens.forEach(({ text }, i) => {
    if (text === '{') depth++;
    if (text === '}') depth--;
    if (depth === 0 && ['fn', 'const', 'override', 'struct', 'alias', 'var'].includes(text)) {
      inStruct = text === 'struct';
      names.push(declaredAfter(tokens, i));
    }
    if (inStruct && depth === 1 && tokens[i + 1]?.text === ':') members.push(text);
  });
  return { names, members };
}

/** The name behind a `let`, `fn`, `var<workgroup>`, … */
function declaredAfter(tokens: readonly Token[], at: number): string {
  const name = tokens[at + 1]?.text === '<' ? tokens.findIndex(({ text }, i) => i > at && text === '>') : at;
  return (tokens[name + 1] as Token).text;
}

/** Where a function that begins at `from` ends: behind its body. */
function endOfFunction(tokens: readonly Token[], from: number): number {
  let depth = 0;
  for (let i = from; i < tokens.length; i++) {
    if (tokens[i]?.text === '{') depth++;
    if (tokens[i]?.text === '}' && --depth === 0) return i + 1;
  }
  throw new Error('a function has no end');
}

/** Parameters and variables of a function, in order. */
function localsOf(tokens: readonly Token[]): Set<string> {
  const locals = new Set<string>();
  const body = tokens.findIndex(({ text }) => text === '{');
  tokens.forEach(({ text }, i) => {
    if (i < body && tokens[i + 1]?.text === ':') locals.add(text);
    if (i > body && ['let', 'var', 'const'].includes(text)) locals.add(declaredAfter(tokens, i));
  });
  return locals;
}

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
// What begins with one of these may be a part of a vector, too.
const VECTOR_PARTS = /[xyzwrgba]/g;

/** One letter of `first`; when these are used up, a digit or letter more, which makes no keyword of WGSL. */
function shortName(first: string, index: number): string {
  if (index < first.length) return first[index] as string;
  const rest = `0123456789${UPPER}`;
  const beyond = index - first.length;
  return `${first[Math.floor(beyond / rest.length)]}${rest[beyond % rest.length]}`;
}

/** Short names for `names`, the most frequent one first */
function shortNames(
  names: ReadonlySet<string>,
  words: readonly string[],
  first: string,
): Map<string, string> {
  const uses = new Map([...names].map((name) => [name, 0]));
  for (const word of words) if (uses.has(word)) uses.set(word, (uses.get(word) as number) + 1);
  const ordered = [...uses].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return new Map(ordered.map(([name], i) => [name, shortName(first, i)]));
}

/** Makes the files of one library shorter, each for itself but with the same names. */
export function wgslShortener(library: readonly string[]): (source: string) => string {
  const files = library.map(tokensOf);
  const words = files.flat().map(({ text }) => text);
  const declarations = files.map(declarationsOf);
  const isKept = keptNames(words);
  const shortened = (pick: (file: Declarations) => readonly string[]): Set<string> =>
    new Set(declarations.flatMap(pick).filter((name) => !isKept(name)));
  const globalNames = shortNames(
    shortened((file) => file.names),
    words,
    UPPER,
  );
  const memberNames = shortNames(
    shortened((file) => file.members),
    words,
    LOWER.replaceAll(VECTOR_PARTS, ''),
  );
  return (source) => joined(compact(renamed(tokensOf(source), globalNames, memberNames)));
}

/** What stays as it is: names that are said elsewhere or not whole here, and members that vectors have, too. */
function keptNames(words: readonly string[]): (name: string) => boolean {
  const templates = words.filter((word) => PLACEHOLDER.test(word));
  const patterns = [...new Set(templates)].map(
    (word) => new RegExp(`^${word.replace(PLACEHOLDER, '\\w+')}$`),
  );
  return (name) =>
    SAID_IN_TYPESCRIPT.includes(name) ||
    /^([xyzw]+|[rgba]+)$/.test(name) ||
    patterns.some((pattern) => pattern.test(name));
}

function renamed(
  tokens: readonly Token[],
  globals: ReadonlyMap<string, string>,
  members: ReadonlyMap<string, string>,
): Token[] {
  const short: Token[] = [];
  let locals: ReadonlyMap<string, string> = new Map();
  let end = 0;
  let depth = 0;
  tokens.forEach((token, i) => {
    if (token.text === '{') depth++;
    if (token.text === '}') depth--;
    if (i >= end) {
      locals = new Map();
      if (token.text === 'fn') {
        end = endOfFunction(tokens, i);
        const own = tokens.slice(i, end);
        const names = [...localsOf(own)];
        // The scopes of blocks are not told apart, so within a function a name must have one meaning. Variables are not called.
        const called = own.filter((_, at) => own[at + 1]?.text === '(').map(({ text }) => text);
        const double = names.find((name) => called.includes(name));
        if (double !== undefined) throw new Error(`${double} is both a variable and a function`);
        locals = new Map(names.map((name, at) => [name, shortName(LOWER, at)]));
      }
    }
    const isMember =
      tokens[i - 1]?.text === '.' ||
      // In a struct; a variable of the module may have the name of a member.
      (i >= end && depth === 1 && tokens[i + 1]?.text === ':' && members.has(token.text));
    const name = isMember ? members.get(token.text) : (locals.get(token.text) ?? globals.get(token.text));
    short.push(name === undefined ? token : { ...token, text: name });
  });
  return short;
}

/** Shorter spellings of the same: `vec4u` for `vec4<u32>`, `.5` for `0.5`, no comma at the end of a list. */
function compact(tokens: readonly Token[]): Token[] {
  const short: Token[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as Token;
    const [angle, element, close] = tokens.slice(i + 1, i + 4).map(({ text }) => text);
    if (/^vec[234]$/.test(token.text) && angle === '<' && /^[uif]32$/.test(element ?? '') && close === '>') {
      short.push({ ...token, text: `${token.text}${element?.[0]}` });
      i += 3;
    } else if (token.text === ',' && /^[)}]$/.test(angle ?? '')) {
      // Left out.
    } else {
      short.push({ ...token, text: shortNumber(token.text) });
    }
  }
  return short;
}

function shortNumber(text: string): string {
  return text
    .replace(/^(0x)0+(?=[\da-f]+u?$)/, '$1')
    .replace(/^(\d+\.)0$/, '$1')
    .replace(/^0(\.\d)/, '$1');
}

/** Operators that two neighbours would become if nothing stood between them. */
const JOINED: ReadonlySet<string> = new Set(
  '++ -- && || << >> <= >= == != -> += -= *= /= %= &= |= ^= // /*'.split(' '),
);

function joined(tokens: readonly Token[]): string {
  let text = '';
  let before: Token | undefined;
  for (const token of tokens) {
    const last = text.at(-1) ?? '';
    const first = token.text[0] as string;
    const words = before?.isWord === true && token.isWord;
    if (words || (token.apart && JOINED.has(last + first))) text += ' ';
    text += token.text;
    before = token;
  }
  return text;
}
