/**
 * Where the conformance checks run:
 * - `cpu`: the CPU backend
 * - `swiftshader`, `lavapipe`: Dawn in this process on that software adapter; `-no-subgroups`: the device lacks the feature
 * - `chromium`: a page in a headless Chromium, on its own SwiftShader
 * - `hardware`: Dawn on the machine's GPU, where there is one
 */
export const targetNames = [
  'cpu',
  'swiftshader',
  'swiftshader-no-subgroups',
  'lavapipe',
  'lavapipe-no-subgroups',
  'chromium',
  'hardware',
] as const;

export type TargetName = (typeof targetNames)[number];

export function isTargetName(name: string): name is TargetName {
  return targetNames.some((known) => known === name);
}

/**
 * The targets that must not be missing, from a list like `cpu,lavapipe` or `all` (all that need no GPU), as the
 * environment variable `WEBGPU_LOSS_REQUIRE` holds it.
 */
export function requiredTargets(list = process.env['WEBGPU_LOSS_REQUIRE'] ?? ''): ReadonlySet<TargetName> {
  const required = new Set<TargetName>();
  for (const name of list.split(',').map((part) => part.trim())) {
    if (name === 'all') {
      for (const target of targetNames) {
        if (target !== 'hardware') {
          required.add(target);
        }
      }
    } else if (isTargetName(name)) {
      required.add(name);
    } else if (name !== '') {
      throw new Error(
        `WEBGPU_LOSS_REQUIRE names ${JSON.stringify(name)}; it takes 'all' or some of ${targetNames.join(', ')}.`,
      );
    }
  }
  return required;
}
