import { openClient } from '../packages/millrace/src/client/index.ts'
import { race, type Figures, type Goal, type Place } from './race.ts'

const partitions = 4
const batchSize = 500

/** Reads a topic of `count` messages as a new group, and calls back with the size of each value. */
export type Racer = (
  place: Place & { readonly groupId: string },
  count: number,
  seen: (bytes: number) => void,
) => Promise<void>

/**
 * Races consumers: each reads the same messages twice, in a process of its own; the second pass counts, and of it only
 * that process's CPU, from the first message to the last.
 */
export async function raceConsumers(options: {
  readonly file: string
  readonly title: string
  readonly racers: Readonly<Record<string, Racer>>
  readonly goals: readonly Goal[]
  readonly value: (index: number) => Buffer
  readonly messages: number
}): Promise<void> {
  const { file, title, racers, goals, value } = options
  const round = batchSize * partitions
  const count = Math.ceil(options.messages / round) * round
  await race({
    file,
    title: `${count.toLocaleString('en')} ${title}`,
    racers: Object.keys(racers),
    goals,
    partitions,
    prepare: (place) => fill(place, count, value),
    run: (name, place) => {
      const racer = racers[name]
      if (racer === undefined) throw new Error(`there is no racer ${name}`)
      return run(racer, place, count, value)
    },
  })
}

async function run(
  racer: Racer,
  place: Place,
  count: number,
  value: (index: number) => Buffer,
): Promise<Figures> {
  let bytes = 0
  const pass = async (groupId: string): Promise<Figures> => {
    let cpu = process.cpuUsage()
    let startMs = 0
    let read = 0
    let figures: Figures | undefined
    await racer({ ...place, groupId }, count, (size) => {
      if (startMs === 0) {
        startMs = performance.now()
        cpu = process.cpuUsage()
      }
      bytes += size
      if (++read < count) return
      const { user, system } = process.cpuUsage(cpu)
      const seconds = (performance.now() - startMs) / 1000
      figures = { cpuMicros: (user + system) / count, perSecond: count / seconds }
    })
    if (!figures) throw new Error(`${read} of ${count} messages`)
    return figures
  }
  await pass('warm')
  const figures = await pass('measured')
  const sizes = Array.from({ length: batchSize }, (_, index) => value(index).length)
  const expected = (sizes.reduce((sum, size) => sum + size, 0) * count) / batchSize
  if (bytes !== expected * 2) throw new Error('messages of another size came')
  return figures
}

async function fill(
  { address, topic }: Place,
  count: number,
  value: (index: number) => Buffer,
): Promise<void> {
  await using client = openClient({ brokers: [address] })
  const producer = client.producer()
  for (let sent = 0; sent < count; sent += batchSize) {
    const partition = (sent / batchSize) % partitions
    const messages = Array.from({ length: batchSize }, (_, index) => ({
      topic,
      partition,
      key: Buffer.from(`key-${index % 200}`),
      value: value(index),
    }))
    await producer.sendMany(messages)
  }
}
