import { type NormForm, type NormKernels, normKernels } from '../row-norm/kernels.js';

// Values are taken relative to the row's first one, so that a large offset costs no digits.
const rowStats = /* wgsl */ `
  let shift = x[start];
  let mean = stats[2u * row];
  let scale = stats[2u * row + 1u];
`;

/** Layer norm; stores the mean, less the row's first value, and `1 / σ` of each row, `[rows, 2]`. */
export const layerNormForm: NormForm = {
  label: 'LayerNorm',
  parameters: ['weight', 'bias'],
  statsPerRow: 2,
  forward: (each) => /* wgsl */ `
    let width = f32(params.width);
    let shift = origin(start);
    var sum_of_row = 0.0;
    ${each('sum_of_row += first(start + i) - shift;')}
    let mean = row_sum(sum_of_row, lane) / width;

    var squares = 0.0;
    ${each(`
      let centered = (value(start + i) - shift) - mean;
      squares += centered * centered;`)}
    let scale = inverseSqrt(row_sum(squares, lane) / width + params.epsilon);

    ${each('y[start + i] = ((value(start + i) - shift) - mean) * scale * weight[i] + bias[i];')}
    if (lane == 0u) {
      stats[2u * row] = mean;
      stats[2u * row + 1u] = scale;
    }
  `,
  // dx = (g − mean(g) − x̂ · mean(g · x̂)) / σ, g = dy · weight
  inputGradient: (each) => /* wgsl */ `
    ${rowStats}
    var sum_g = 0.0;
    var sum_gx = 0.0;
    ${each(`
      let g = dy[start + i] * weight[i];
      sum_g += g;
      sum_gx += g * ((x[start + i] - shift) - mean) * scale;`)}
    let mean_g = row_sum(sum_g, lane) / f32(params.width);
    let mean_gx = row_sum(sum_gx, lane) / f32(params.width);

    ${each(`
      let normalized = ((x[start + i] - shift) - mean) * scale;
      write(start + i, scale * (dy[start + i] * weight[i] - mean_g - normalized * mean_gx));`)}
  `,
  rowStats,
  weightGradient: { weight: 'd * ((x[start + i] - shift) - mean) * scale', bias: 'd' },
};

export const layerNormKernels: NormKernels = normKernels(layerNormForm);
