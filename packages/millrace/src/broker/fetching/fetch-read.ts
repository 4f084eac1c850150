import { isFailure, type MillraceError } from '../../errors/index.ts'
import { errorCodes } from '../../protocol/index.ts'
import type { PartitionLog, TopicRecord } from '../../storage/index.ts'
import { leaderEpochFault } from '../topics/leader-epoch.ts'
import type { Served, Wanted } from './fetch-sessions.ts'

const nothing = Buffer.alloc(0)

/** One partition of a fetch: what was read so far. */
interface Row extends Served {
  readonly log: PartitionLog | undefined
  /** Of the log, when it was read. */
  readonly bytesWritten: number
  readonly records: Buffer
  /** There is no such partition; Kafka answers that before it reads. */
  readonly isMissing: boolean
  readonly diverging: { readonly epoch: number; readonly endOffset: number } | undefined
}

/** Where a partition is looked up; a topic may come and go while a fetch waits. */
export interface PartitionSource {
  named(name: string): TopicRecord | undefined
  withId(id: string): TopicRecord | undefined
  partition(topic: TopicRecord, index: number): PartitionLog | undefined
}

/**
 * Reads what one Fetch wants, in its order, within its limits; then, when enough has come, once more the partitions
 * that have moved since. While it waits it counts and does not read: many small batches would be read over and over.
 *
 * - The first batch goes out whole even above every limit, or its reader would starve (KIP-74).
 * - Outside [log start, log end] is 1. At the end is nothing, and no error.
 */
export class FetchRead {
  readonly #wanted: readonly Wanted[]
  readonly #source: PartitionSource
  readonly #usesIds: boolean
  readonly #isCommitted: boolean
  readonly #maxBytes: number
  readonly #onReadFailure: (error: MillraceError) => void
  readonly #rows: Row[] = []
  #bytes = 0
  #errors = 0

  constructor(options: {
    readonly wanted: readonly Wanted[]
    readonly source: PartitionSource
    readonly usesIds: boolean
    /** read_committed: nothing past the last stable offset. */
    readonly isCommitted: boolean
    readonly maxBytes: number
    /** The client hears 56; why, only this does. */
    readonly onReadFailure: (error: MillraceError) => void
  }) {
    this.#wanted = options.wanted
    this.#source = options.source
    this.#usesIds = options.usesIds
    this.#isCommitted = options.isCommitted
    this.#maxBytes = options.maxBytes
    this.#onReadFailure = options.onReadFailure
  }

  get rows(): readonly Row[] {
    return this.#rows
  }

  get bytes(): number {
    return this.#bytes
  }

  get hasError(): boolean {
    return this.#errors > 0
  }

  async readAll(): Promise<void> {
    for (let index = 0; index < this.#wanted.length; index++) await this.#read(index)
  }

  /** Reads the partitions that have moved since they were read. */
  async readMoved(): Promise<void> {
    for (let index = 0; index < this.#wanted.length; index++)
      if (this.#hasMoved(index)) await this.#read(index)
  }

  /**
   * Resolves when reading again gives `minBytes` in all or something else to tell, when the time has passed, or the
   * signal aborts.
   */
  waitFor(
    minBytes: number,
    wait: {
      readonly after: (fire: () => void) => { cancel(): void }
      readonly signal: AbortSignal
    },
  ): Promise<void> {
    return new Promise((resolve) => {
      const ends: (() => void)[] = []
      let isOver = false
      const end = (): void => {
        if (isOver) return
        isOver = true
        timer.cancel()
        wait.signal.removeEventListener('abort', end)
        for (const one of ends) one()
        resolve()
      }
      const onAdvance = (): void => {
        if (this.#isWorthReading(minBytes)) end()
      }
      const timer = wait.after(end)
      wait.signal.addEventListener('abort', end)
      const logs = new Set<PartitionLog>()
      for (const { log } of this.#rows) if (log !== undefined) logs.add(log)
      for (const log of logs) ends.push(log.onAdvance(onAdvance))
      // What moved between the read and now woke nobody.
      if (wait.signal.aborted) end()
      else onAdvance()
    })
  }

  #isWorthReading(minBytes: number): boolean {
    let bytes = 0
    for (const [index, row] of this.#rows.entries()) {
      const { log } = row
      if (log === undefined) continue
      const come = log.bytesWritten - row.bytesWritten
      if (log.isDeleted || log.logStartOffset !== row.logStartOffset) return true
      // A transaction has ended.
      if (come === 0 && log.lastStableOffset !== row.lastStableOffset) return true
      const most = Math.max(row.bytes, this.#wanted[index]!.partitionMaxBytes)
      bytes += Math.min(row.bytes + come, most)
    }
    return bytes >= minBytes
  }

  #hasMoved(index: number): boolean {
    const row = this.#rows[index]
    const log = row?.log
    if (row === undefined || log === undefined) return false
    return (
      log.isDeleted ||
      log.highWatermark !== row.highWatermark ||
      log.lastStableOffset !== row.lastStableOffset ||
      log.logStartOffset !== row.logStartOffset
    )
  }

  async #read(index: number): Promise<void> {
    const before = this.#rows[index]
    if (before !== undefined) {
      this.#bytes -= before.bytes
      if (before.errorCode !== errorCodes.NONE) this.#errors--
    }
    const row = await this.#readOne(this.#wanted[index]!)
    this.#rows[index] = row
    this.#bytes += row.bytes
    if (row.errorCode !== errorCodes.NONE) this.#errors++
  }

  async #readOne(wanted: Wanted): Promise<Row> {
    const { fetchOffset, lastFetchedEpoch } = wanted
    const topic = this.#usesIds
      ? this.#source.withId(wanted.topicId)
      : this.#source.named(wanted.topic)
    if (topic === undefined)
      return failed(
        this.#usesIds ? errorCodes.UNKNOWN_TOPIC_ID : errorCodes.UNKNOWN_TOPIC_OR_PARTITION,
        true,
      )
    const log = this.#source.partition(topic, wanted.partition)
    if (log === undefined) return failed(errorCodes.UNKNOWN_TOPIC_OR_PARTITION, true)
    const epochFault = leaderEpochFault(wanted.currentLeaderEpoch, log.leaderEpoch)
    if (epochFault !== errorCodes.NONE) return failed(epochFault)

    // Taken before the read: what comes during it counts as moved.
    const { bytesWritten, highWatermark, lastStableOffset, logStartOffset } = log
    const facts = {
      log,
      bytesWritten,
      isMissing: false,
      errorCode: errorCodes.NONE,
      highWatermark,
      lastStableOffset,
      logStartOffset,
    }
    if (lastFetchedEpoch > log.leaderEpoch) {
      const diverging = { epoch: log.leaderEpoch, endOffset: log.logEndOffset }
      return { ...facts, records: nothing, bytes: 0, diverging }
    }
    if (fetchOffset < logStartOffset || fetchOffset > log.logEndOffset)
      return failed(errorCodes.OFFSET_OUT_OF_RANGE)

    const upTo = this.#isCommitted ? lastStableOffset : highWatermark
    const left = this.#maxBytes - this.#bytes
    const isFirst = this.#bytes === 0
    if (fetchOffset >= upTo || (left <= 0 && !isFirst))
      return { ...facts, records: nothing, bytes: 0, diverging: undefined }
    const maxBytes = Math.max(0, Math.min(wanted.partitionMaxBytes, left))
    try {
      const read = log.read(fetchOffset, { maxBytes, minOneBatch: isFirst, upTo })
      const records = read instanceof Promise ? await read : read
      return { ...facts, records, bytes: records.length, diverging: undefined }
    } catch (error) {
      if (!isFailure(error)) throw error
      this.#onReadFailure(error)
      return failed(errorCodes.KAFKA_STORAGE_ERROR)
    }
  }
}

function failed(errorCode: number, isMissing = false): Row {
  return {
    isMissing,
    log: undefined,
    bytesWritten: 0,
    errorCode,
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    records: nothing,
    bytes: 0,
    diverging: undefined,
  }
}
