/** Entries from the log, for commands that name them: ranges, what a consumer has not acknowledged, claims. */
import type { Client, ClientMessage } from '../../client/index.ts'
import type { Reply } from '../reply.ts'
import { formatEntryId } from './entry-id.ts'
import { fieldsOf } from './fields.ts'

/** Part of one partition: offsets from `from` up to and without `to`. */
export interface Segment {
  readonly topic: string
  readonly partition: number
  readonly from: number
  readonly to: number
}

/** How much a reply may hold. Counts down; the first entry always fits. */
export interface Room {
  count: number
  bytes: number
}

/** Reads further in one go than between single readings of what lies far apart. */
const nearby = 200
const takenAtOnce = 500
/** Below, few entries are wanted, and the rest of what comes with them is thrown away. */
const fewEntries = 100

export function entryReply(message: ClientMessage): Reply {
  return [formatEntryId(message.partition, message.offset), fieldsOf(message)]
}

export function hasRoom(room: Room): boolean {
  return room.count > 0 && room.bytes > 0
}

/** About what the entry takes in a reply. */
export function sizeOf({ key, value, headers }: ClientMessage): number {
  let bytes = 64 + (key?.length ?? 0) + (value?.length ?? 0)
  for (const [name, content] of headers) bytes += 32 + name.length + (content?.length ?? 0)
  return bytes
}

/** Messages of a segment in order, while there is room. @throws MillraceError, the signal's reason */
export async function readForward(
  client: Client,
  { topic, partition, from, to }: Segment,
  room: Room,
  signal: AbortSignal,
): Promise<ClientMessage[]> {
  const found: ClientMessage[] = []
  if (from >= to || !hasRoom(room)) return found
  const perPartitionBytes = room.count <= fewEntries ? 64 * 1024 : 1024 * 1024
  await using reader = client.reader({
    partitions: [{ topic, partition }],
    from,
    to,
    fetch: { perPartitionBytes, bufferedBytes: 2 * perPartitionBytes },
  })
  while (hasRoom(room) && (await reader.available(signal))) {
    for (const message of reader.take(Math.min(room.count, takenAtOnce))) {
      // What retention took away meanwhile is not made up for by what lies behind.
      if (message.offset < from || !hasRoom(room)) continue
      room.count--
      room.bytes -= sizeOf(message)
      found.push(message)
    }
  }
  return found
}

/** Messages of a segment from its end, newest first, while there is room. */
export async function readBackward(
  client: Client,
  segment: Segment,
  room: Room,
  signal: AbortSignal,
): Promise<ClientMessage[]> {
  const found: ClientMessage[] = []
  let { to } = segment
  let step = Math.max(32, Math.min(room.count, 4096))
  while (to > segment.from && hasRoom(room)) {
    const from = Math.max(segment.from, to - step)
    // The window has to be read whole: its last messages are the wanted ones.
    const window = { count: Infinity, bytes: Infinity }
    const messages = await readForward(client, { ...segment, from, to }, window, signal)
    for (const message of messages.toReversed()) {
      if (!hasRoom(room)) break
      room.count--
      room.bytes -= sizeOf(message)
      found.push(message)
    }
    to = from
    // Few messages in many offsets: compacted away, or markers.
    if (messages.length * 2 < step) step = Math.min(step * 4, 65_536)
  }
  return found
}

/**
 * The messages at given offsets, which ascend; null in place of one that is gone.
 * Offsets near each other are read together.
 */
export async function readOffsets(
  client: Client,
  topic: string,
  partition: number,
  offsets: readonly number[],
  signal: AbortSignal,
): Promise<(ClientMessage | null)[]> {
  const byOffset = new Map<number, ClientMessage>()
  for (let first = 0; first < offsets.length;) {
    let last = first
    while (last + 1 < offsets.length && offsets[last + 1]! - offsets[last]! <= nearby) last++
    const segment = { topic, partition, from: offsets[first]!, to: offsets[last]! + 1 }
    const room = { count: Infinity, bytes: Infinity }
    for (const message of await readForward(client, segment, room, signal))
      byOffset.set(message.offset, message)
    first = last + 1
  }
  return offsets.map((offset) => byOffset.get(offset) ?? null)
}
