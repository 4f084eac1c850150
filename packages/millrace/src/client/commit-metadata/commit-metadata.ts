/**
 * What a commit carries besides its offset: `<text of the user>|millrace:<finished offsets above it>`. Whoever holds the
 * partition next hands nothing of that out again, be it a worker or a consumer of the gateway.
 */
import { decodeRuns, encodeRuns, type Runs } from './ranges.ts'

/** Kafka's default offset.metadata.max.bytes. */
export const metadataLimit = 4096
const rangesLimit = 4000
const mark = '|millrace:'
/** Longest text of a user, in bytes of UTF-8. */
export const userMetadataLimit = metadataLimit - mark.length

/** @param runs - finished offsets above `base`; what does not fit is left out from the far end */
export function joinMetadata(user: string, base: number, runs: Runs): string {
  const room = metadataLimit - Buffer.byteLength(user) - mark.length
  const ranges = runs.length === 0 ? '' : encodeRuns(base, runs, Math.min(rangesLimit, room))
  // A text of the user's that looks like ours is closed by an empty one of ours.
  return ranges === '' && !user.includes(mark) ? user : `${user}${mark}${ranges}`
}

export function splitMetadata(
  metadata: string,
  base: number,
): { readonly user: string; readonly runs: Runs } {
  const at = metadata.lastIndexOf(mark)
  if (at < 0) return { user: metadata, runs: [] }
  return { user: metadata.slice(0, at), runs: decodeRuns(base, metadata.slice(at + mark.length)) }
}
