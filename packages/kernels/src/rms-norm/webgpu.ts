import { type NormForm, type NormKernels, normKernels } from '../row-norm/kernels.js';

const rowStats = 'let scale = stats[row];';

/** RMS norm; stores `1 / rms` of each row, `[rows, 1]`. */
export const rmsNormForm: NormForm = {
  label: 'RmsNorm',
  parameters: ['weight'],
  statsPerRow: 1,
  forward: (each) => /* wgsl */ `
    var squares = 0.0;
    ${each(`
      let own = first(start + i);
      squares += own * own;`)}
    let mean_square = row_sum(squares, lane) / f32(params.width);
    let scale = inverseSqrt(mean_square + params.epsilon);

    ${each('y[start + i] = value(start + i) * scale * weight[i];')}
    if (lane == 0u) { stats[row] = scale; }
  `,
  // dx = (g − x̂ · mean(g · x̂)) / rms, g = dy · weight
  inputGradient: (each) => /* wgsl */ `
    ${rowStats}
    var sum_gx = 0.0;
    ${each('sum_gx += dy[start + i] * weight[i] * x[start + i] * scale;')}
    let mean_gx = row_sum(sum_gx, lane) / f32(params.width);

    ${each(`
      let normalized = x[start + i] * scale;
      write(start + i, scale * (dy[start + i] * weight[i] - normalized * mean_gx));`)}
  `,
  rowStats,
  weightGradient: { weight: 'd * x[start + i] * scale' },
};

export const rmsNormKernels: NormKernels = normKernels(rmsNormForm);
