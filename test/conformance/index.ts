import type { Golden } from '../support/golden.js';
import type { TargetName } from '../targets/names.js';
import type { Check } from './check.js';
import { determinismChecks } from './determinism.js';
import { errorChecks } from './errors.js';
import { goldenChecks } from './golden.js';
import { moreGoldenChecks } from './goldenMore.js';
import { gradFilterChecks } from './gradFilter.js';
import { goldenHalfChecks, halfChecks } from './halves.js';
import { klDivergenceChecks } from './klDivergence.js';
import { layoutChecks } from './layouts.js';
import { linearCrossEntropyChecks } from './linearCrossEntropy.js';
import { logitStatsChecks } from './logitStats.js';
import { opPlanChecks } from './opPlans.js';
import { orderChecks } from './order.js';
import { planLeakChecks } from './planLeaks.js';
import { planChecks } from './plans.js';
import { propertyChecks } from './properties.js';
import { reproducibleChecks } from './reproducible.js';
import { sizeChecks } from './sizes.js';
import { specialOperandChecks } from './specialOperands.js';
import { steadyStateChecks } from './steadyState.js';
import { straddlingChecks } from './straddling.js';
import { strategyChecks } from './strategies.js';

/**
 * What must hold on `target`. Without subgroups only reductions and matrix products are others, so there only what has these runs. The golden
 * cases in 16 bits, hundreds of kernels to compile, are left out in the browser, which compiles what `swiftshader` does.
 */
export function checks(golden: Golden, target: TargetName): Check[] {
  const sharing = [
    ...goldenChecks(golden),
    ...moreGoldenChecks(golden),
    ...strategyChecks(),
    ...determinismChecks(),
    ...sizeChecks(),
    ...linearCrossEntropyChecks(golden),
    ...gradFilterChecks(),
  ];
  if (target.endsWith('-no-subgroups')) return sharing;
  return [
    ...sharing,
    ...errorChecks(),
    ...planChecks(),
    ...opPlanChecks(),
    ...planLeakChecks(),
    ...steadyStateChecks(),
    ...klDivergenceChecks(),
    ...orderChecks(),
    ...layoutChecks(),
    ...straddlingChecks(),
    ...propertyChecks(),
    ...specialOperandChecks(),
    ...halfChecks(),
    ...(target === 'chromium' ? [] : goldenHalfChecks(golden)),
    ...logitStatsChecks(),
    ...reproducibleChecks(golden),
  ];
}
