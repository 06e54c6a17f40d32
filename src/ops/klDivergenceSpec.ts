import type { KlTarget } from '../cpu/klDivergence.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { Reduction } from './reduction.js';
import { outputRole, presentRoles } from './roles.js';

/** All that decides what a divergence computes, checked and complete. */
export interface KlSettings {
  readonly layout: Layout;
  readonly logits: Role;
  readonly target: Role;
  readonly kind: KlTarget;
  readonly temperature: number;
  readonly scaleByTemperatureSquared: boolean;
  readonly reduction: Reduction;
  readonly grad: boolean;
  readonly gradOutput: number | Role;
}

export function klDivergenceSpec(settings: KlSettings): Spec {
  const { layout, logits, target, reduction, grad, gradOutput } = settings;
  const roles = presentRoles({
    logits,
    target,
    gradOutput,
    divergence: outputRole(reduction === 'none' ? rowShape(layout) : []),
    grad: grad && outputRole(layout.shape, logits.dtype),
    gradTarget: grad && outputRole(layout.shape, target.dtype),
  });
  return {
    op: 'klDivergence',
    settings,
    roles,
    passes: async () => {
      const { klDivergencePasses } = await import('../passes/klDivergence.js');
      return (build) => klDivergencePasses(build, settings, roles);
    },
  };
}
