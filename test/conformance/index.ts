import type { Golden } from '../support/golden.js';
import type { Check } from './check.js';
import { determinismChecks } from './determinism.js';
import { errorChecks } from './errors.js';
import { goldenChecks } from './golden.js';
import { moreGoldenChecks } from './goldenMore.js';
import { halfChecks } from './halves.js';
import { klDivergenceChecks } from './klDivergence.js';
import { layoutChecks } from './layouts.js';
import { logitStatsChecks } from './logitStats.js';
import { opPlanChecks } from './opPlans.js';
import { orderChecks } from './order.js';
import { planLeakChecks } from './planLeaks.js';
import { planChecks } from './plans.js';
import { propertyChecks } from './properties.js';
import { reproducibleChecks } from './reproducible.js';
import { sizeChecks } from './sizes.js';
import { strategyChecks } from './strategies.js';

/** Everything that must hold on every target. */
export function checks(golden: Golden): Check[] {
  return [
    ...goldenChecks(golden),
    ...moreGoldenChecks(golden),
    ...errorChecks(),
    ...planChecks(),
    ...opPlanChecks(),
    ...planLeakChecks(),
    ...klDivergenceChecks(),
    ...orderChecks(),
    ...layoutChecks(),
    ...strategyChecks(),
    ...propertyChecks(),
    ...determinismChecks(),
    ...halfChecks(golden),
    ...sizeChecks(),
    ...logitStatsChecks(),
    ...reproducibleChecks(golden),
  ];
}
