/** The pages of the lab, in order. */
export const pages = ['experiments', 'attention', 'playground', 'tokens', 'device'] as const;
export type PageName = (typeof pages)[number];
