/**
 * What is parked of one partition: which messages of which keys wait in a retry topic, and where. Pure; fed with the records of
 * the parked topic, or with those that this worker has just written.
 *
 *     record   key: source offset    value: { key, tries, dueMs }     parked there until then, or moved there
 *     tombstone                      null                             finished, however
 *
 * A message waits while an earlier one of its key is parked. Records may be seen late but never too early: what looks parked
 * and is finished already costs a detour; what is parked and looks finished would cost the order.
 */
export interface ParkedRecord {
  /** The key's bytes in base64. */
  readonly key: string
  /** Which retry topic: its index. */
  readonly tier: number
  readonly dueMs: number
}

export class ParkedView {
  readonly #byOffset = new Map<number, ParkedRecord>()
  /** Source offsets, ascending. */
  readonly #offsetsByKey = new Map<string, number[]>()

  get size(): number {
    return this.#byOffset.size
  }

  park(offset: number, record: ParkedRecord): void {
    if (!this.#byOffset.has(offset)) {
      const offsets = this.#offsetsByKey.get(record.key)
      if (offsets === undefined) this.#offsetsByKey.set(record.key, [offset])
      else insert(offsets, offset)
    }
    this.#byOffset.set(offset, record)
  }

  finish(offset: number): void {
    const record = this.#byOffset.get(offset)
    if (record === undefined) return
    this.#byOffset.delete(offset)
    const offsets = this.#offsetsByKey.get(record.key) ?? []
    const rest = offsets.filter((own) => own !== offset)
    if (rest.length === 0) this.#offsetsByKey.delete(record.key)
    else this.#offsetsByKey.set(record.key, rest)
  }

  of(offset: number): ParkedRecord | undefined {
    return this.#byOffset.get(offset)
  }

  /** The last one of this key before this offset that is parked. */
  before(key: string, offset: number): ParkedRecord | undefined {
    const offsets = this.#offsetsByKey.get(key)
    if (offsets === undefined) return undefined
    const previous = offsets.findLast((own) => own < offset)
    return previous === undefined ? undefined : this.#byOffset.get(previous)
  }
}

function insert(offsets: number[], offset: number): void {
  let at = offsets.length
  while (at > 0 && (offsets[at - 1] as number) > offset) at--
  offsets.splice(at, 0, offset)
}
