export interface MelFilterSizes {
  /** The number of filters. */
  mels: number;
  /** Frequencies of the spectrum, from 0 to half the rate. */
  bins: number;
  /** In hertz. */
  sampleRate: number;
  /** The frequency at which the last filter ends, in hertz. */
  highest: number;
}

const knee = 1000;
const kneeMel = 15;
/** Of the logarithmic part: 27 mels from 1 to 6.4 kHz. */
const perLog = 27 / Math.log(6.4);

/** Slaney's mel scale: linear up to 1 kHz, logarithmic above. */
const toMel = (hertz: number): number =>
  hertz < knee ? (3 * hertz) / 200 : kneeMel + Math.log(hertz / knee) * perLog;

const toHertz = (mel: number): number =>
  mel < kneeMel ? (200 * mel) / 3 : knee * Math.exp((mel - kneeMel) / perLog);

/**
 * Triangular filters, evenly spaced on Slaney's mel scale, each of area 1 per hertz, row-major `[bins, mels]`.
 *
 * @see Slaney 1998, Auditory Toolbox, https://engineering.purdue.edu/~malcolm/interval/1998-010/
 */
export function melFilters({ mels, bins, sampleRate, highest }: MelFilterSizes): Float32Array {
  const edges = Array.from({ length: mels + 2 }, (_, i) =>
    toHertz((toMel(highest) * i) / (mels + 1)),
  );
  const filters = new Float32Array(bins * mels);
  for (let k = 0; k < bins; k++) {
    const hertz = (Math.floor(sampleRate / 2) * k) / (bins - 1);
    for (let m = 0; m < mels; m++) {
      const [from, peak, to] = [edges[m]!, edges[m + 1]!, edges[m + 2]!];
      const height = Math.min((hertz - from) / (peak - from), (to - hertz) / (to - peak));
      filters[k * mels + m] = (2 / (to - from)) * Math.max(0, height);
    }
  }
  return filters;
}
