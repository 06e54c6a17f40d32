// The shaders of rows that share groups of four elements with their neighbours: loaded by the first call that has such.
import load from '../../shaders/access/load-straddling.wgsl?raw';
import shared from '../../shaders/access/shared-groups.wgsl?raw';
import emission from '../../shaders/strategy/emission-apart.wgsl?raw';
import map from '../../shaders/strategy/map-straddling.wgsl?raw';

export { emission, load, map, shared };
