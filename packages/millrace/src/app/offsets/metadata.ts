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
