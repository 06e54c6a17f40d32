// The shaders of long rows that are no whole groups of four elements: loaded by the first call that has such.
import load from '../../shaders/access/load-straddling.wgsl?raw';
import shared from '../../shaders/access/shared-groups.wgsl?raw';
import absorption from '../../shaders/strategy/absorption-long.wgsl?raw';
import emission from '../../shaders/strategy/emission-apart.wgsl?raw';
import map from '../../shaders/strategy/map-straddling.wgsl?raw';

export { absorption, emission, load, map, shared };
