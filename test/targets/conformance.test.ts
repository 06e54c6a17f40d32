// One file for every target; vitest.config.ts runs it once for each, and names the target in WEBGPU_LOSS_TARGET.
import { afterAll, expect, test } from 'vitest';
import { isTargetName, requiredTargets } from './names.js';
import { writeReport } from './report.js';
import { openTarget } from './target.js';

const name = process.env['WEBGPU_LOSS_TARGET'] ?? '';
if (!isTargetName(name)) {
  throw new Error(`WEBGPU_LOSS_TARGET is ${JSON.stringify(name)}, which is no target`);
}

const target = await openTarget(name);

if ('missing' in target) {
  writeReport({ target: name, missing: target.missing, adapter: '', ledger: [] });
  test(`${name} is here`, (context) => {
    if (requiredTargets().has(name)) {
      throw new Error(
        `WEBGPU_LOSS_REQUIRE names ${name}, and this machine does not have it: ${target.missing}`,
      );
    }
    context.skip(target.missing);
  });
} else {
  afterAll(async () => {
    writeReport({ target: name, adapter: target.adapter, ledger: await target.ledger() });
    await target.close();
  });

  test('the target is what its name says', () => {
    expect(target.checks).not.toHaveLength(0);
    if (name !== 'hardware') {
      const expected = name !== 'cpu' && !name.endsWith('-no-subgroups');
      expect(target.features.includes('subgroups')).toBe(expected);
      expect(target.adapter).toMatch(
        { cpu: /CPU/, swiftshader: /swiftshader/i, lavapipe: /llvmpipe/, chromium: /Chrom/ }[
          name.replace('-no-subgroups', '')
        ] as RegExp,
      );
    }
  });

  // A check that never ends may have left the adapter stuck: the checks after it fail at once, not each after a timeout.
  let stuck: string | undefined;
  for (const check of target.checks) {
    test(check, async ({ task }) => {
      if (stuck !== undefined) {
        throw new Error(`not run: the check ${JSON.stringify(stuck)} did not end`);
      }
      const timer = setTimeout(
        () => {
          stuck = check;
        },
        0.9 * (task.timeout ?? 0),
      );
      try {
        await target.run(check);
      } finally {
        clearTimeout(timer);
      }
    });
  }
}
