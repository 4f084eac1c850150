/** The snapshots of producers beside a log: which one is read, and which stay. */
import { lastOffsetOf } from './batch-walk.ts'
import { writeFile, type FileSystem } from './file-system.ts'
import { decodeProducers, encodeProducers } from './producer-snapshot.ts'
import { ProducerState } from './producer-state.ts'
import { segmentName, type Segment } from './segment.ts'

export interface LoadedProducers {
  readonly state: ProducerState
  /** Where the snapshot stands that it began with; 0 for none. */
  readonly snapshotOffset: number
}

/**
 * The producer state at the end of a log: the newest snapshot that is whole and not from beyond the end, then the
 * headers of the batches behind it. Who is found in the log counts as active now: forgetting one too late costs a
 * few bytes, too early costs it its next batch.
 */
export function loadProducers(
  fs: FileSystem,
  folder: string,
  segments: readonly Segment[],
  end: number,
  nowMs: number,
): LoadedProducers {
  const { state, offset } = newestSnapshot(fs, folder, end)
  for (const segment of segments) {
    if (segment.nextOffset <= offset || segment.size === 0) continue
    const file = segment.acquire()
    try {
      const walk = segment.walkFrom(file, Math.max(offset, segment.baseOffset))
      for (let batch = walk.next(); batch; batch = walk.next()) {
        const { header } = batch
        if (header.baseOffset < offset || header.producerId < 0 || header.baseSequence < 0) continue
        if (lastOffsetOf(header) < end)
          state.write(header, header.baseOffset, header.maxTimestamp, nowMs)
      }
    } finally {
      segment.release(file)
    }
  }
  return { state, snapshotOffset: offset }
}

/**
 * Writes the snapshot of an offset and removes the others, but for those at `kept` offsets.
 * @returns its path
 */
export function saveProducers(
  fs: FileSystem,
  folder: string,
  offset: number,
  state: ProducerState,
  kept: ReadonlySet<number>,
): string {
  const path = `${folder}/${segmentName(offset, '.producers')}`
  // A good one stays: it may be all that is left of deleted segments, and writing over it could tear it.
  const present = fs.readFile(path)
  if (!present || !decodeProducers(present)) writeFile(fs, path, encodeProducers(state))
  for (const name of fs.list(folder)) {
    if (!name.endsWith('.producers')) continue
    const at = Number.parseInt(name, 10)
    if (at !== offset && !kept.has(at)) fs.remove(`${folder}/${name}`)
  }
  return path
}

function newestSnapshot(
  fs: FileSystem,
  folder: string,
  end: number,
): { readonly state: ProducerState; readonly offset: number } {
  const offsets = fs
    .list(folder)
    .filter((name) => /^\d{20}\.producers$/.test(name))
    .map((name) => Number.parseInt(name, 10))
    .filter((offset) => offset <= end)
    .toSorted((a, b) => b - a)
  for (const offset of offsets) {
    const bytes = fs.readFile(`${folder}/${segmentName(offset, '.producers')}`)
    const state = bytes && decodeProducers(bytes)
    if (state) return { state, offset }
  }
  return { state: new ProducerState(), offset: 0 }
}
