import type { Client } from '../../client/index.ts'
import { failure } from '../../errors/index.ts'
import { sleep, systemClock, type Clock } from '../../kit/index.ts'
import { events } from '../../telemetry/index.ts'
import { sendLetter } from '../dead-letter/send-letter.ts'
import type { EncodedMessage } from '../ports.ts'
import { isChosen, jobGroup } from './choose.ts'
import { copyOf } from './copy.ts'
import { readLetter, type RawLetter } from './letter.ts'
import { notesFor } from './notes.ts'
import type { RedriveOptions, RedriveReport } from './options.ts'
import { Tally } from './tally.ts'

/** Copies between two records of the progress: what may come twice after a kill. */
const mostPerBatch = 500

/** Names are those on the wire. */
export async function runRedrive(client: Client, options: RedriveOptions): Promise<RedriveReport> {
  checkOptions(options)
  const { from, dryRun = false, again = false, clock = systemClock, signal } = options
  const group = jobGroup(options)
  const partitions = await partitionsOf(client, from)
  if (again && !dryRun) await forget(client, group, from, partitions)
  const starts = again ? new Map<number, number>() : await progressOf(client, group, from)

  const tally = new Tally()
  const pace = paceOf(options.rate, clock, signal)
  await using producer = client.producer({ acks: -1 })
  const job: Job = {
    client,
    options,
    group,
    tally,
    pace,
    send: (copies) =>
      Promise.all(copies.map((copy) => sendLetter(copy, (one) => producer.send(one)))),
  }
  for (const partition of partitions) {
    if (signal?.aborted === true) break
    await redrivePartition(job, partition, starts.get(partition))
  }
  const isComplete = signal?.aborted !== true
  const notes = await notesFor(client, { options, group, tally, starts })
  return { job: group, from, isDryRun: dryRun, isComplete, ...tally.report(), notes }
}

interface Job {
  readonly client: Client
  readonly options: RedriveOptions
  readonly group: string
  readonly tally: Tally
  readonly pace: Pace
  readonly send: (copies: readonly EncodedMessage[]) => Promise<unknown>
}

/** From where the job stood to where the partition ended when it was opened. */
async function redrivePartition(
  job: Job,
  partition: number,
  start: number | undefined,
): Promise<void> {
  const { client, options } = job
  await using reader = client.reader({
    partitions: [{ topic: options.from, partition }],
    from: start ?? 'earliest',
    to: 'end',
  })
  while (await available(reader, options.signal)) {
    for (const part of parts(reader.take(mostPerBatch), job)) {
      if (options.signal?.aborted === true) return
      await redriveBatch(job, partition, part)
    }
  }
}

/** Cancelling is no failure: the job can go on later. */
async function available(
  reader: { available(signal?: AbortSignal): Promise<boolean> },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    return await reader.available(signal)
  } catch (error) {
    if (signal?.aborted === true) return false
    throw error
  }
}

/** A slow job records its progress more often, so that a kill repeats no more than a second's worth. */
function* parts(messages: readonly RawLetter[], { options }: Job): Generator<readonly RawLetter[]> {
  const size = Math.max(1, Math.min(mostPerBatch, Math.floor(options.rate ?? mostPerBatch)))
  for (let at = 0; at < messages.length; at += size) yield messages.slice(at, at + size)
}

/** Sent first and recorded after: nothing is lost, and a kill in between sends the batch again. */
async function redriveBatch(
  { client, options, group, tally, pace, send }: Job,
  partition: number,
  batch: readonly RawLetter[],
): Promise<void> {
  const { from, where = {}, onlyGroup = true, dryRun = false } = options
  const copies: EncodedMessage[] = []
  for (const raw of batch) {
    const letter = readLetter(raw)
    tally.read++
    if (!isChosen(raw, letter, where)) continue
    const home = letter.sourceTopic === from ? undefined : letter.sourceTopic
    const to = options.to ?? home
    tally.choose(letter, to)
    if (to === undefined) continue
    copies.push(copyOf(raw, letter, { to, onlyGroup }))
  }
  if (!dryRun) {
    await pace(copies.length)
    // Aborted while it waited: nothing of this batch was sent, and nothing is recorded.
    if (options.signal?.aborted === true) return
    const offset = (batch.at(-1)?.offset ?? -1) + 1
    try {
      await send(copies)
    } catch (cause) {
      const context = { from, partition, offset: batch[0]?.offset ?? 0, sent: tally.sent }
      throw failure('MR_APP_REDRIVE_STOPPED', context, { cause })
    }
    tally.sent += copies.length
    const [recorded] = await client.admin.setOffsets(group, [{ topic: from, partition, offset }])
    if (recorded?.error !== undefined) throw recorded.error
    if (copies.length > 0)
      events.deadletterRedriven.publish({ job: group, from, partition, messages: copies.length })
  }
  const { read, chosen, sent } = tally
  options.onProgress?.({ read, chosen, sent })
}

type Pace = (copies: number) => Promise<void>

/** Waits before a batch until what was sent so far fits the rate. */
function paceOf(rate: number | undefined, clock: Clock, signal: AbortSignal | undefined): Pace {
  if (rate === undefined) return () => Promise.resolve()
  const startedMs = clock.monotonicMs()
  let before = 0
  return async (copies) => {
    const dueMs = startedMs + (before / rate) * 1000
    before += copies
    const waitMs = dueMs - clock.monotonicMs()
    if (waitMs <= 0 || copies === 0) return
    try {
      await sleep(clock, waitMs, signal)
    } catch (error) {
      if (signal?.aborted !== true) throw error
    }
  }
}

async function partitionsOf(client: Client, topic: string): Promise<readonly number[]> {
  const [described] = await client.admin.describeTopics([topic])
  if (described?.error !== undefined) throw described.error
  return (described?.partitions ?? []).map(({ partition }) => partition)
}

async function progressOf(
  client: Client,
  group: string,
  topic: string,
): Promise<Map<number, number>> {
  const progress = new Map<number, number>()
  for (const entry of await client.admin.committedOffsets(group)) {
    if (entry.error !== undefined) throw entry.error
    if (entry.topic === topic && entry.offset >= 0) progress.set(entry.partition, entry.offset)
  }
  return progress
}

async function forget(
  client: Client,
  group: string,
  topic: string,
  partitions: readonly number[],
): Promise<void> {
  const known = await progressOf(client, group, topic)
  const entries = partitions.flatMap((partition) =>
    known.has(partition) ? [{ topic, partition, offset: 0 }] : [],
  )
  if (entries.length === 0) return
  for (const { error } of await client.admin.setOffsets(group, entries))
    if (error !== undefined) throw error
}

function checkOptions({ from, to, rate }: RedriveOptions): void {
  if (to === from)
    throw failure('MR_APP_REDRIVE_OPTIONS', { reason: `to is ${from}, where the letters lie` })
  if (rate !== undefined && !(rate > 0 && Number.isFinite(rate)))
    throw failure('MR_APP_REDRIVE_OPTIONS', { reason: `rate: ${rate} is not a number above 0` })
}
