import type { Client } from '../../client/index.ts'

/** Log start and end of a partition: the offsets it holds lie between them. */
export interface Watermarks {
  readonly partition: number
  readonly start: number
  /** Of the next message. */
  readonly end: number
}

/** Log start and log end of partitions, in the order given. */
export async function watermarksOf(
  { admin }: Client,
  places: readonly { readonly topic: string; readonly partition: number }[],
): Promise<readonly (Watermarks & { readonly topic: string })[]> {
  const [starts, ends] = await Promise.all([
    admin.listOffsets(places.map((place) => ({ ...place, at: 'earliest' as const }))),
    admin.listOffsets(places.map((place) => ({ ...place, at: 'latest' as const }))),
  ])
  whole(starts)
  whole(ends)
  return places.map((place, index) => ({
    ...place,
    start: starts[index]?.offset ?? 0,
    end: ends[index]?.offset ?? 0,
  }))
}

/** Results that came one by one, as a whole. @throws the first error */
export function whole<R extends { readonly error?: Error }>(results: readonly R[]): readonly R[] {
  for (const { error } of results) if (error !== undefined) throw error
  return results
}
