/** Whether a value is below a bound; `null` is none. */
export const below = (value: number, least: number | null): boolean =>
  least !== null && value < least;

/** Whether a value is above a bound; `null` is none. */
export const above = (value: number, most: number | null): boolean => most !== null && value > most;
