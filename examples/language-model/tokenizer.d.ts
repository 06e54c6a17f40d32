// What is used of the tokenizer, whose package is not there when types are checked.
declare module '*/gpt-tokenizer/esm/encoding/o200k_base.js' {
  export function encode(text: string): number[];
  export function decode(tokens: Iterable<number>): string;
}
