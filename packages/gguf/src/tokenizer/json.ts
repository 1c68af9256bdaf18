/** An object of a JSON document. */
export type Json = Readonly<Record<string, unknown>>;

/** The parts of a component: those of a sequence, or itself; none where it is absent. */
export function parts(component: Json | null | undefined, key: string): readonly Json[] {
  if (!component) return [];
  return component.type === 'Sequence' ? (component[key] as readonly Json[]) : [component];
}
