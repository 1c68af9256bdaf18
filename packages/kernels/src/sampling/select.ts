import { samplingGroups as lanes } from './reference.js';

/**
 * WGSL of `Kept`, the tokens that cut-offs leave, and of `cut_after`, which finds the last token of the best ones by a radix
 * search: eight bits of the key a round, and where tokens of the same key must be told apart, eight bits of their number.
 *
 * Must be in scope: `score(start, v) -> f32`; `scaled(score, largest) -> f32`, a score relative to the best one and divided by the
 * temperature; `share_of(score, largest) -> f32`, the weight of a token relative to the best one; workgroups of 256 lanes, as many
 * as a digit has values; and of the uniform `vocabulary`, `rounds` (8) and `digits` (256): compilers copy the body of a loop of
 * constant length, and take three times as long.
 */
export const selectWgsl: string = /* wgsl */ `
  /** The last token that is kept, in the order of scores, then numbers. */
  struct Cut { key: u32, index: u32 }
  fn within(cut: Cut, key: u32, index: u32) -> bool {
    return key > cut.key || (key == cut.key && index <= cut.index);
  }

  /** The tokens that stay: the best up to a cut, with a scaled score of at least \`least\`, and, unless \`nearest\` is 0, near \`center\`. */
  struct Kept { cut: Cut, least: f32, center: f32, nearest: u32 }
  /** Unsigned numbers, larger for tokens nearer to a center. */
  fn nearness(score: f32, largest: f32, center: f32) -> u32 {
    return ~bitcast<u32>(abs(scaled(score, largest) - center));
  }
  fn stays(kept: Kept, score: f32, v: u32, largest: f32) -> bool {
    return scaled(score, largest) >= kept.least && within(kept.cut, key_of(score), v)
      && (kept.nearest == 0u || nearness(score, largest, kept.center) >= kept.nearest);
  }

  /** Unsigned numbers in the order of scores. */
  fn key_of(score: f32) -> u32 {
    let bits = bitcast<u32>(select(score, 0.0, score == 0.0));
    return select(bits | 0x80000000u, ~bits, bits >= 0x80000000u);
  }
  fn score_of(key: u32) -> f32 {
    return bitcast<f32>(select(~key, key & 0x7fffffffu, key >= 0x80000000u));
  }

  // Sums of 64 bits, upper word first: integers, so that the order of adding does not matter.
  fn plus(a: vec2u, b: vec2u) -> vec2u {
    let lower = a.y + b.y;
    return vec2u(a.x + b.x + select(0u, 1u, lower < a.y), lower);
  }
  fn minus(a: vec2u, b: vec2u) -> vec2u {
    return vec2u(a.x - b.x - select(0u, 1u, a.y < b.y), a.y - b.y);
  }
  fn less(a: vec2u, b: vec2u) -> bool { return a.x < b.x || (a.x == b.x && a.y < b.y); }
  fn part_of(total: vec2u, share: f32) -> vec2u {
    let value = (f32(total.x) * 4294967296.0 + f32(total.y)) * share;
    let upper = floor(value / 4294967296.0);
    return vec2u(u32(upper), u32(value - upper * 4294967296.0));
  }
  /** A probability relative to the best one's, in units of 2⁻⁴⁰. */
  fn mass_of(score: f32, largest: f32) -> vec2u {
    let scaled = share_of(score, largest) * 256.0;
    let upper = floor(scaled);
    return vec2u(u32(upper), u32((scaled - upper) * 4294967296.0));
  }

  var<workgroup> upper_sums: array<atomic<u32>, ${lanes}>;
  var<workgroup> lower_sums: array<atomic<u32>, ${lanes}>;
  fn count_in(digit: u32, weight: vec2u) {
    let before = atomicAdd(&lower_sums[digit], weight.y);
    let upper = weight.x + select(0u, 1u, before + weight.y < before);
    if (upper > 0u) { atomicAdd(&upper_sums[digit], upper); }
  }
  fn sum_in(digit: u32) -> vec2u {
    return vec2u(atomicLoad(&upper_sums[digit]), atomicLoad(&lower_sums[digit]));
  }

  struct Round { remaining: vec2u, digit: u32, total: vec2u }
  var<workgroup> round_result: Round;

  /** The digit at which the best tokens reach what remains, and what then remains within it. */
  fn finish_round(wanted: vec2u, share: f32) {
    var remaining = wanted;
    if (share > 0.0) {
      var total = vec2u(0u, 0u);
      for (var digit = 0u; digit < params.digits; digit++) { total = plus(total, sum_in(digit)); }
      remaining = part_of(total, share);
    }
    if (less(remaining, vec2u(0u, 1u))) { remaining = vec2u(0u, 1u); }
    var digit = ${lanes - 1}u;
    var total = sum_in(digit);
    while (digit > 0u && less(total, remaining)) {
      remaining = minus(remaining, total);
      digit--;
      total = sum_in(digit);
    }
    round_result = Round(remaining, digit, total);
  }

  /**
   * Cuts after the best tokens that stay: after \`count\` of them and what scores the same as the last, or, where that is 0, after
   * those that have a share of the probability. With \`near\` the best are those nearest to the center; ties of the last stay.
   */
  fn cut_after(start: u32, lane: u32, kept: Kept, largest: f32, count: u32, share: f32, near: bool) -> Cut {
    let by_mass = count == 0u;
    var remaining = vec2u(0u, count);
    var key = 0u;
    var index = 0u;
    for (var round = 0u; round < params.rounds; round++) {
      let shift = 24u - 8u * (round % 4u);
      let seen = ~(0xffffffffu >> (8u * (round % 4u)));
      atomicStore(&upper_sums[lane], 0u);
      atomicStore(&lower_sums[lane], 0u);
      workgroupBarrier();
      for (var v = lane; v < params.vocabulary; v += ${lanes}u) {
        let value = score(start, v);
        if (!stays(kept, value, v, largest)) { continue; }
        var own = key_of(value);
        if (near) { own = nearness(value, largest, kept.center); }
        // Numbers are turned round, as the first of equals is the best.
        let digits = select(own, ~v, round >= 4u);
        let matches = select((own & seen) == key, own == key && (~v & seen) == index, round >= 4u);
        if (!matches) { continue; }
        var weight = vec2u(0u, 1u);
        if (by_mass) { weight = mass_of(value, largest); }
        count_in((digits >> shift) & 0xffu, weight);
      }
      workgroupBarrier();
      if (lane == 0u) { finish_round(remaining, select(0.0, share, by_mass && round == 0u)); }
      let result = workgroupUniformLoad(&round_result);
      remaining = result.remaining;
      if (round < 4u) { key |= result.digit << shift; } else { index |= result.digit << shift; }
      if (round == 3u) {
        var one = vec2u(0u, 1u);
        if (by_mass) { one = mass_of(score_of(key), largest); }
        // All tokens of this score stay: no need to tell them apart.
        if (near || !by_mass || less(result.total, plus(remaining, one))) { return Cut(key, 0xffffffffu); }
      }
    }
    return Cut(key, ~index);
  }
`;
