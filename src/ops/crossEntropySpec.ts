import { isFloat } from '../dtype.js';
import { type Layout, rowShape } from '../shape.js';
import type { Role, Roles, Spec } from '../spec.js';
import type { Reduction } from './reduction.js';
import { outputRole, presentRoles } from './roles.js';

/** A cross-entropy with every choice made. */
export interface CrossEntropySettings {
  readonly layout: Layout;
  readonly logits: Role;
  /** Of an integer dtype: class indices, one a row. Of a float dtype: probabilities, the shape of the logits. */
  readonly targets: Role;
  readonly weight: Role | undefined;
  readonly ignoreIndex: number;
  readonly labelSmoothing: number;
  readonly temperature: number;
  readonly softcap: number | undefined;
  readonly zLoss: number;
  readonly reduction: Reduction;
  readonly grad: boolean | 'in-place';
  /** A number, or the role of a tensor: one value a row for 'none', a single one otherwise. */
  readonly gradOutput: number | Role;
  readonly gradTargets: boolean;
  readonly returnLogSumExp: boolean;
}

/** The spec of a cross-entropy. */
export function crossEntropySpec(settings: CrossEntropySettings): Spec {
  const { layout, targets } = settings;
  const roles = rolesOf(settings);
  const indices = !isFloat(targets.dtype);
  return {
    op: 'crossEntropy',
    settings,
    roles,
    passes: async () => {
      const { crossEntropyPasses } = await import('../passes/crossEntropy.js');
      return (build) => crossEntropyPasses(build, settings, roles);
    },
    ...(indices && layout.rows > 0 ? { targetClasses: layout.classes } : {}),
  };
}

function rolesOf(settings: CrossEntropySettings): Roles {
  const { layout, logits, targets, weight, reduction, grad, gradOutput, gradTargets, returnLogSumExp } =
    settings;
  const perRow = outputRole(rowShape(layout));
  return presentRoles({
    logits: grad === 'in-place' ? { ...logits, access: 'in-out' } : logits,
    targets,
    weight,
    gradOutput,
    loss: reduction === 'none' ? perRow : outputRole([]),
    grad: grad === true && outputRole(layout.shape, logits.dtype),
    gradTargets: gradTargets && outputRole(layout.shape, targets.dtype),
    logSumExp: returnLogSumExp && perRow,
  });
}

/** What of a cross-entropy does not depend on where its logits come from. */
export type LossTerms = Omit<CrossEntropySettings, 'logits' | 'weight' | 'grad'>;
