import type { AdapterLimits } from '../../info.js';
import { advice } from './advice.js';
import type { Inspection } from './inspect.js';
import { type Finding, passed } from './selfTest.js';

/** All that `doctor` found. */
export interface Diagnosis {
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
  /** Version of the package `webgpu`; undefined where it is not installed. */
  readonly webgpu: string | undefined;
  readonly inspection: Inspection;
  /** The self-test of the CPU backend. */
  readonly cpu: readonly Finding[];
}

/** Whether nothing is wrong. To have no GPU is not wrong. */
export function isHealthy({ inspection, cpu }: Diagnosis): boolean {
  const { problem, tested } = inspection;
  return problem === undefined && passed(tested?.findings ?? []) && passed(cpu);
}

/** The object that `--json` prints. */
export function toJson(diagnosis: Diagnosis): Readonly<Record<string, unknown>> {
  const { version, node, platform, arch, webgpu, inspection, cpu } = diagnosis;
  const { adapters, tested, problem } = inspection;
  return {
    version,
    node,
    platform,
    arch,
    webgpu: webgpu ?? null,
    adapters,
    problem: problem ?? null,
    selfTests: [
      ...(tested === undefined
        ? []
        : [{ on: tested.name, passed: passed(tested.findings), findings: tested.findings }]),
      { on: 'CPU', passed: passed(cpu), findings: cpu },
    ],
    healthy: isHealthy(diagnosis),
    advice: advice({ platform, webgpu, adapters }),
  };
}

/** The same for people. */
export function formatReport(diagnosis: Diagnosis): string {
  const { version, node, platform, arch, webgpu, inspection, cpu } = diagnosis;
  const { adapters, tested, problem } = inspection;
  const advised = advice({ platform, webgpu, adapters });
  const sections = [
    `webgpu-loss ${version}, Node ${node}, ${platform} ${arch}\npackage webgpu: ${webgpu ?? 'not installed'}`,
    adapters.length === 0
      ? 'adapters: none'
      : ['adapters', ...adapters.flatMap(formatAdapter).map((line) => `  ${line}`)].join('\n'),
    ...(problem === undefined ? [] : [`problem: ${problem}`]),
    formatTests([
      ...(tested === undefined ? [] : [{ on: tested.name, findings: tested.findings }]),
      { on: 'CPU', findings: cpu },
    ]),
    ...(advised.length === 0 ? [] : [advised.join('\n')]),
    isHealthy(diagnosis) ? 'Nothing is wrong.' : 'Something is wrong: see above.',
  ];
  return sections.join('\n\n');
}

const MEBI = 2 ** 20;

function formatAdapter({
  name,
  api,
  software,
  vendor,
  architecture,
  description,
  features,
  limits,
}: Inspection['adapters'][number]): readonly string[] {
  const used = ['subgroups', 'shader-f16', 'timestamp-query'];
  const has = used.map((feature) => `${feature} ${features.includes(feature) ? 'yes' : 'no'}`);
  return [
    `${name}: ${software ? 'software' : 'hardware'}${api === undefined ? '' : `, ${api}`}`,
    `  vendor    ${[vendor, architecture].filter((part) => part !== '').join(', ') || 'not told'}`,
    `  driver    ${description || 'not told'}`,
    `  features  ${has.join(', ')}; ${features.length} in all`,
    `  limits    ${formatLimits(limits)}`,
  ];
}

function formatLimits(limits: AdapterLimits): string {
  const mebi = (bytes: number): string => `${Math.floor(bytes / MEBI).toLocaleString('en')} MiB`;
  return [
    `buffer ${mebi(limits.maxBufferSize)}`,
    `storage binding ${mebi(limits.maxStorageBufferBindingSize)}`,
    `${limits.maxStorageBuffersPerShaderStage} storage buffers`,
    `workgroup ${limits.maxComputeInvocationsPerWorkgroup} threads, ${limits.maxComputeWorkgroupStorageSize} bytes`,
  ].join(', ');
}

/** A line for each quantity, a column for each shape: worst error / bound. */
function formatTests(
  tests: readonly { readonly on: string; readonly findings: readonly Finding[] }[],
): string {
  return tests
    .map(({ on, findings }) => {
      const shapes = [...new Set(findings.map(shapeOf))];
      const quantities = [...new Set(findings.map(quantityOf))];
      const head = ['error / bound', ...shapes];
      const rows = quantities.map((quantity) => [
        quantity,
        ...shapes.map((shape) => {
          const found = findings.find((each) => shapeOf(each) === shape && quantityOf(each) === quantity);
          return formatWorst(found?.worst ?? Number.NaN);
        }),
      ]);
      const lines = [head, ...rows].map(
        ([first = '', ...cells]) => `  ${first.padEnd(28)}${cells.map((cell) => cell.padStart(12)).join('')}`,
      );
      const verdict = passed(findings) ? 'passed' : 'FAILED';
      return [`self-test on ${on}: ${verdict}`, ...lines].join('\n');
    })
    .join('\n\n');
}

function shapeOf({ rows, classes }: Finding): string {
  return `${rows} x ${classes}`;
}

function quantityOf({ op, quantity }: Finding): string {
  return `${op}, ${quantity}`;
}

function formatWorst(worst: number): string {
  if (worst === 0) return 'exact';
  return `${Number.isFinite(worst) ? worst.toFixed(3) : 'wrong'}${worst > 1 && Number.isFinite(worst) ? ' wrong' : ''}`;
}
