// The shaders of long rows that are no whole groups of four elements: loaded by the first call that has such.
import load from '../../shaders/access/load-straddling.wgsl?raw';
import absorption from '../../shaders/strategy/absorption-long.wgsl?raw';
import handingOn from '../../shaders/strategy/emission-apart.wgsl?raw';
import map from '../../shaders/strategy/map-straddling.wgsl?raw';

export { absorption, handingOn, load, map };

/** What is common to the matrices that the kernel writes: their rows begin alike, and each group is read and written in all of them. */
export function resultsOf(names: readonly string[]): string {
  const [first] = names;
  return `const RESULTS: u32 = ${names.length}u;
alias Written = array<vec4<u32>, RESULTS>;
fn first_element(row: u32) -> u32 { return place_${first}(row); }
fn written(row: u32, c: u32) -> Written { return Written(${names.map((name) => `load_${name}(row, c)`).join(', ')}); }
fn write(row: u32, c: u32, v: Written) { ${names.map((name, i) => `store_${name}(row, c, v[${i}]);`).join(' ')} }
`;
}
