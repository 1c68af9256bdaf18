import { describe, expect, test } from 'vitest';
import { PrefixTree } from './prefix-tree.js';

/** A part of one byte a token, which holds the tokens themselves. */
const partOf = (ids: readonly number[], freed: number[][]) => ({
  ids,
  bytes: ids.length,
  dispose: () => void freed.push([...ids]),
});

function treeOf() {
  const freed: number[][] = [];
  const tree = new PrefixTree<ReturnType<typeof partOf>>((part, at) => {
    part.dispose();
    return [partOf(part.ids.slice(0, at), freed), partOf(part.ids.slice(at), freed)];
  });
  const add = (...ids: number[]) => tree.add(ids, (from) => partOf(ids.slice(from), freed));
  const found = (...ids: number[]) =>
    tree.find(ids).flatMap(({ part, count }) => part.ids.slice(0, count));
  return { tree, freed, add, found };
}

describe('PrefixTree', () => {
  test('keeps a shared beginning once, and finds the longest one', () => {
    const { tree, add, found } = treeOf();
    add(1, 2, 3, 4);
    add(1, 2, 5);
    add(1, 2, 5, 6);
    add(7);
    expect([tree.tokens, tree.bytes]).toEqual([7, 7]);
    expect([...tree.nodes()].map(({ ids }) => ids)).toEqual([[1, 2], [3, 4], [5], [6], [7]]);
    expect(found(1, 2, 3, 9)).toEqual([1, 2, 3]);
    expect(found(1, 2, 5, 6, 7)).toEqual([1, 2, 5, 6]);
    expect([tree.match([1, 2, 5, 8]), tree.match([7, 1]), tree.match([2])]).toEqual([3, 1, 0]);
  });

  test('adds nothing for what it has, and the end alone for what goes on', () => {
    const { tree, add } = treeOf();
    add(1, 2, 3);
    add(1, 2);
    expect([...tree.nodes()]).toHaveLength(1);
    const asked: number[] = [];
    tree.add([1, 2, 3, 4], (from) => {
      asked.push(from);
      return partOf([4], []);
    });
    expect(asked).toEqual([3]);
  });

  test('evicts the ends of what was not used for longest, never a beginning before its ends', () => {
    const { tree, freed, add, found } = treeOf();
    add(1, 2, 3, 4);
    add(1, 2, 5, 6);
    found(1, 2, 3, 4);
    tree.evict(5);
    // The end of [5, 6], which was used before [3, 4].
    expect(found(1, 2, 5, 6)).toEqual([1, 2, 5]);
    found(1, 2, 3, 4);
    tree.evict(2);
    expect([...tree.nodes()].map(({ ids }) => ids)).toEqual([[1, 2]]);
    tree.evict(0);
    expect([...tree.nodes()]).toEqual([]);
    expect(tree.bytes).toBe(0);
    // Every part that was made was freed, also those that were split.
    expect(freed).toContainEqual([1, 2]);
  });

  test('frees every part once', () => {
    const { tree, freed, add } = treeOf();
    add(1, 2, 3);
    add(1, 4);
    tree.dispose();
    expect(freed).toEqual([[1, 2, 3], [1], [2, 3], [4]]);
    expect(tree.bytes).toBe(0);
  });
});
