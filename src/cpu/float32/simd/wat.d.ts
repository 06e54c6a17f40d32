/** The bytes of a module of WebAssembly, assembled from its text, in hexadecimal digits. */
declare module '*.wat?hex' {
  const hex: string;
  export default hex;
}
