import { philoxConstants } from '@headwise/core/internal';

const { multipliers, weyl, rounds } = philoxConstants;

/** WGSL of `philox(counter, key)`: the same words in a shader. */
export const philoxWgsl: string = /* wgsl */ `
  fn upper_product(a: u32, b: u32) -> u32 {
    let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
    let carry = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
    return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carry >> 16u);
  }
  fn philox(start: vec4u, start_key: vec2u) -> vec4u {
    var c = start;
    var key = start_key;
    for (var round = 0u; round < ${rounds}u; round++) {
      c = vec4u(
        upper_product(${multipliers[1]}u, c.z) ^ c.y ^ key.x,
        ${multipliers[1]}u * c.z,
        upper_product(${multipliers[0]}u, c.x) ^ c.w ^ key.y,
        ${multipliers[0]}u * c.x,
      );
      key += vec2u(${weyl[0]}u, ${weyl[1]}u);
    }
    return c;
  }
`;
