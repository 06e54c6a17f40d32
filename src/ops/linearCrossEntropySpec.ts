import { rowShape } from '../shape.js';
import type { Role, Spec } from '../spec.js';
import type { LossTerms } from './crossEntropySpec.js';
import { outputRole, presentRoles } from './roles.js';

/** A linear cross-entropy with every choice made. Its layout is that of the logits: [..., classes]. */
export interface LinearCrossEntropySettings extends LossTerms {
  /** [..., features] */
  readonly hidden: Role;
  /** [classes, features] */
  readonly weight: Role;
  /** [classes] */
  readonly bias: Role | undefined;
  readonly classWeight: Role | undefined;
  readonly gradHidden: boolean;
  readonly gradWeight: boolean;
  readonly gradBias: boolean;
  /** Share of the factor of p in a row's gradient up to which an entry counts as 0; 0: none does. */
  readonly gradFilter: number;
  /** Bytes of scratch memory that the GPU passes may take. */
  readonly maxScratchBytes: number;
}

/** The spec of a linear cross-entropy. */
export function linearCrossEntropySpec(settings: LinearCrossEntropySettings): Spec {
  const { layout, hidden, weight, bias, targets, classWeight, reduction, gradOutput } = settings;
  const { gradHidden, gradWeight, gradBias, returnLogSumExp } = settings;
  const perRow = outputRole(rowShape(layout));
  const roles = presentRoles({
    hidden,
    weight,
    bias,
    targets,
    classWeight,
    gradOutput,
    loss: reduction === 'none' ? perRow : outputRole([]),
    gradHidden: gradHidden && outputRole(hidden.shape),
    gradWeight: gradWeight && outputRole(weight.shape),
    gradBias: gradBias && outputRole([layout.classes]),
    logSumExp: returnLogSumExp && perRow,
  });
  return {
    op: 'linearCrossEntropy',
    settings,
    roles,
    passes: async () => {
      const { linearCrossEntropyPasses } = await import('../passes/linearCrossEntropy.js');
      return (build) => linearCrossEntropyPasses(build, settings, roles);
    },
    ...(layout.rows > 0 ? { targetClasses: layout.classes } : {}),
  };
}
