export { hex, type Rgb, viridis } from './figures/colours.js';
export { type HeadScoreName, headGrid } from './figures/head-grid.js';
export { type HeadViewOptions, headView } from './figures/head-view.js';
export { type HeatMapOptions, heatMap } from './figures/heat-map.js';
export { type LensTableOptions, lensTable } from './figures/lens-table.js';
export { type ModelViewOptions, modelView } from './figures/model-view.js';
export { type NeuronViewOptions, neuronView } from './figures/neuron-view.js';
export type { Grid } from './figures/pool.js';
export { type Tile, TiledMap, tileSide } from './figures/tiles.js';
