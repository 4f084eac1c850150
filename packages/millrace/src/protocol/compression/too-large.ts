/** Thrown inside this folder when output would pass the caller's bound; `decompress` turns it into a row of the table. */
export class TooLarge extends Error {}
