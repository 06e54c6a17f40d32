import get from '../../shaders/access/get.wgsl?raw';
import getAbsent from '../../shaders/access/get-absent.wgsl?raw';
import loadAbsent from '../../shaders/access/load-absent.wgsl?raw';
import loadPadded from '../../shaders/access/load-padded.wgsl?raw';
import loadScalar from '../../shaders/access/load-scalar.wgsl?raw';
import loadVec4 from '../../shaders/access/load-vec4.wgsl?raw';
import put from '../../shaders/access/put.wgsl?raw';
import putAbsent from '../../shaders/access/put-absent.wgsl?raw';
import storeAbsent from '../../shaders/access/store-absent.wgsl?raw';
import storeScalar from '../../shaders/access/store-scalar.wgsl?raw';
import storeVec4 from '../../shaders/access/store-vec4.wgsl?raw';
import noHit from '../../shaders/lib/no-hit.wgsl?raw';
import noOddRows from '../../shaders/lib/no-odd-rows.wgsl?raw';
import params from '../../shaders/lib/params.wgsl?raw';
import subgroupReduction from '../../shaders/reduction/subgroup.wgsl?raw';
import tree from '../../shaders/reduction/tree.wgsl?raw';
import workgroupReduction from '../../shaders/reduction/workgroup.wgsl?raw';
import absorption from '../../shaders/strategy/absorption.wgsl?raw';
import absorptionKept from '../../shaders/strategy/absorption-kept.wgsl?raw';
import emission from '../../shaders/strategy/emission.wgsl?raw';
import emissionKept from '../../shaders/strategy/emission-kept.wgsl?raw';
import emissionRest from '../../shaders/strategy/emission-rest.wgsl?raw';
import emissionUnrolled from '../../shaders/strategy/emission-unrolled.wgsl?raw';
import map from '../../shaders/strategy/map.wgsl?raw';
import mapRows from '../../shaders/strategy/map-rows.wgsl?raw';
import rowPerThread from '../../shaders/strategy/row-per-thread.wgsl?raw';
import rowPerWorkgroup from '../../shaders/strategy/row-per-workgroup.wgsl?raw';
import rows from '../../shaders/strategy/rows.wgsl?raw';
import splitFinish from '../../shaders/strategy/split-finish.wgsl?raw';
import splitPartial from '../../shaders/strategy/split-partial.wgsl?raw';
import {
  type Access,
  type Binding,
  type Epilogue,
  inFours,
  isApart,
  isShared,
  type KernelName,
  type KernelRole,
  REDUCES,
  type Source,
  STAGES,
  type Variant,
} from '../plan/variant.js';

type UnevenRows = typeof import('./unevenRows.js');

/** What long rows need that are no whole groups of four. */
const ofUnevenRows = (part: 'absorption' | 'handingOn' | 'map') => async (): Promise<string> =>
  (await import('./unevenRows.js'))[part];

const STRATEGY_SOURCES: Readonly<Record<KernelName, Source>> = {
  'row-per-thread': rowPerThread,
  'row-per-thread-apart': rowPerThread,
  'row-per-workgroup': rowPerWorkgroup,
  'row-per-workgroup-apart': rowPerWorkgroup,
  'split-partial': splitPartial,
  'split-finish': splitFinish,
  rows,
  map,
  'map-rows': mapRows,
  'map-straddling': ofUnevenRows('map'),
};

/** The role that every kernel may name, besides its epilogue's: what the passes of a split row hand on. */
const HANDOVER: Readonly<Record<string, KernelRole>> = {
  handover: { kind: 'vector', use: 'write', stages: [] },
};

/**
 * The WGSL of a variant: a generated head (what `override` cannot express: binding types, accessors, constants), then plain files
 * joined in a fixed order, each of which may use what stands before it. Files that few calls need are loaded for it.
 */
export async function composeShader(variant: Variant): Promise<string> {
  const { kernel, epilogue, statistic, arithmetic, bindings, subgroup } = variant;
  const packed = bindings.some(({ packing }) => packing !== 'none') ? await import('./packed.js') : undefined;
  const uneven = kernel === 'map-straddling' ? await import('./unevenRows.js') : undefined;
  const reduces = REDUCES.has(kernel);
  const parts: readonly Source[] = [
    head(variant),
    params,
    arithmetic.source,
    ...epilogue.libraries,
    ...(packed?.packingLibraries(variant) ?? []),
    accessors(variant, packed?.packedTemplates, uneven),
    ...(statistic === undefined ? [] : [statistic.source]),
    ...(subgroup > 0 ? [statistic?.subgroupSource ?? ''] : []),
    ...(reduces ? [tree, subgroup > 0 ? subgroupReduction : workgroupReduction] : []),
    epilogue.source,
    ...passages(variant),
    STRATEGY_SOURCES[kernel],
  ];
  const texts = await Promise.all(parts.map((part) => (typeof part === 'string' ? part : part())));
  return texts.join('\n');
}

/** How a lane takes in what is its of a row, and writes it. */
function passages({ kernel, statistic, epilogue, unrolled, kept, long }: Variant): readonly Source[] {
  const stages = STAGES[kernel];
  const usual = long ? ofUnevenRows('absorption') : kept > 0 ? absorptionKept : absorption;
  return [
    ...(stages.includes('statistic') ? [statistic?.absorption ?? usual] : []),
    ...(stages.includes('elements') ? emissionOf(epilogue, unrolled, kept) : []),
    ...(isApart(kernel) ? [ofUnevenRows('handingOn')] : []),
  ];
}

function emissionOf(
  { emission: own, oddRows, hit }: Epilogue,
  unrolled: boolean,
  kept: number,
): readonly Source[] {
  if (own !== undefined) return [own];
  return [
    ...(oddRows ? [] : [noOddRows]),
    ...(hit ? [] : [noHit]),
    emissionRest,
    kept > 0 ? emissionKept : unrolled ? emissionUnrolled : emission,
  ];
}

function head(variant: Variant): string {
  const { bindings, flags, sizes, epilogue, statistic, workgroupSize, kept, subgroup } = variant;
  const lines = [
    ...(subgroup > 0 ? ['enable subgroups;', `const SUBGROUP: u32 = ${subgroup}u;`] : []),
    '@group(0) @binding(0) var<uniform> params: Params;',
    ...bindings.map((binding, i) => {
      const mode = binding.write ? 'read_write' : 'read';
      return `@group(0) @binding(${i + 1}) var<storage, ${mode}> ${bufferName(binding.role)}: array<${elementType(binding)}>;`;
    }),
    ...Object.entries(flags).map(([name, value]) => `const ${name}: bool = ${value};`),
    ...Object.entries(sizes).map(([name, size]) => `const ${name}: u32 = ${size}u;`),
    `const WIDTH: u32 = ${workgroupSize}u;`,
    ...(kept > 0 ? [`const KEPT: u32 = ${kept}u;`] : []),
    `const ROW_WORDS: u32 = ${epilogue.words}u;`,
    ...(statistic === undefined ? [] : [`const STAT_WORDS: u32 = ${statistic.words}u;`]),
  ];
  return `${lines.join('\n')}\n`;
}

function elementType(binding: Binding): string {
  if (isShared(binding)) return 'atomic<u32>';
  if (!inFours(binding.access)) return 'u32';
  return binding.packing === 'none' ? 'vec4<u32>' : 'vec2<u32>';
}

function bufferName(role: string): string {
  return `buffer_${role}`;
}

/** The templates of a role of 16-bit floats. */
type PackedTemplates = (read: boolean, binding: Binding) => readonly string[];

/** Functions to read and write each role that the epilogue or the strategy may name, bound or not. */
function accessors(
  { epilogue, bindings, aliases }: Variant,
  packed: PackedTemplates | undefined,
  uneven: UnevenRows | undefined,
): string {
  const parts = bindings.map(({ role, access }, i) => places(role, access, i));
  const results: string[] = [];
  for (const [name, role] of Object.entries({ ...epilogue.roles, ...HANDOVER })) {
    const home = aliases[name] ?? name;
    const binding = bindings.find((candidate) => candidate.role === home);
    if (aliases[name] !== undefined && binding !== undefined) {
      parts.push(places(name, binding.access, bindings.indexOf(binding)));
    }
    if (binding?.access === 'straddling' && role.use === 'write') results.push(name);
    for (const template of templates(name, role, binding, packed, uneven)) {
      parts.push(
        template
          .replaceAll('NAME', name)
          .replaceAll('BUFFER', bufferName(home))
          .replaceAll('PACKING', binding?.packing ?? '')
          .replaceAll('STEP', binding?.access === 'strided' ? 'params.inner' : '1u')
          .replaceAll('PAD', role.pad ?? '0u')
          .replaceAll('DEFAULT', role.absent ?? '0u'),
      );
    }
  }
  if (uneven !== undefined) parts.push(uneven.resultsOf(results));
  return parts.join('');
}

function templates(
  name: string,
  { kind, use }: KernelRole,
  binding: Binding | undefined,
  packed: PackedTemplates | undefined,
  uneven: UnevenRows | undefined,
): readonly string[] {
  const read = use === 'read';
  if (name in HANDOVER) return [binding === undefined ? getAbsent : get, binding?.write ? put : putAbsent];
  if (kind === 'vector') {
    if (binding === undefined) return [read ? getAbsent : putAbsent];
    return [read ? get : put];
  }
  if (binding === undefined) return [read ? loadAbsent : storeAbsent];
  const own = packed !== undefined && binding.packing !== 'none' ? packed(read, binding) : undefined;
  // What is written is read back where rows share a group.
  if (uneven !== undefined && binding.access === 'straddling') {
    return own ?? [uneven.load, ...(read ? [] : [storeVec4])];
  }
  if (own !== undefined) return own;
  if (binding.access === 'padded') return [read ? loadPadded : storeVec4];
  if (binding.access === 'vec4') return [read ? loadVec4 : storeVec4];
  return [read ? loadScalar : storeScalar];
}

/** Where a binding's rows lie: its first element and the distance between rows come with the parameters. */
function places(role: string, access: Access, index: number): string {
  const first = `params.places[${index >> 1}].${index % 2 === 0 ? 'x' : 'z'}`;
  const step = `params.places[${index >> 1}].${index % 2 === 0 ? 'y' : 'w'}`;
  if (access === 'vector') {
    return `fn first_${role}() -> u32 { return ${first}; }\nfn step_${role}() -> u32 { return ${step}; }\n`;
  }
  const offset =
    access === 'strided' ? `(row / params.inner) * ${step} + row % params.inner` : `row * ${step}`;
  return `fn place_${role}(row: u32) -> u32 { return ${first} + ${offset}; }\n`;
}
