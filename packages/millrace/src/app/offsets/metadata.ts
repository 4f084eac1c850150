import { decodeRuns, encodeRuns, type Runs } from './ranges.ts'

/** Kafka's default offset.metadata.max.bytes. */
export const metadataLimit = 4096
const rangesLimit = 4000
const mark = '|millrace:'
/** Longest text of a user, in bytes of UTF-8. */
export const userMetadataLimit = metadataLimit - mark.length

/** What a commit carries besides the offset: the user's text first, then what we add. */
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

/**
 * The user's text of one partition. A text given with a mark counts from the moment at which the position has passed
 * that message, so that it never speaks of what is still unfinished; it stays until another one takes its place.
 */
export class UserMetadata {
  #current: string
  readonly #noted = new Map<number, string>()

  constructor(current: string) {
    this.#current = current
  }

  note(offset: number, text: string): void {
    this.#noted.set(offset, text)
  }

  /** The text that belongs to a commit of this position. */
  at(position: number): string {
    if (this.#noted.size === 0) return this.#current
    let newest = -1
    for (const [offset, text] of this.#noted) {
      if (offset >= position) continue
      this.#noted.delete(offset)
      if (offset < newest) continue
      newest = offset
      this.#current = text
    }
    return this.#current
  }

  /** After a seek or a rewind: what was noted for later messages is not true yet. */
  forgetFrom(offset: number): void {
    for (const at of this.#noted.keys()) if (at >= offset) this.#noted.delete(at)
  }
}
