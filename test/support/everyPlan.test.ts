import { expect, test } from 'vitest';
import * as library from '../../src/index.js';
import { everyPlan } from './everyPlan.js';

test('there is a call of every plan of the library', () => {
  const plans = Object.keys(library).filter((name) => name.startsWith('plan'));
  expect([...new Set(everyPlan(2, 3).map(({ plan }) => plan))].sort()).toEqual(plans.sort());
});
