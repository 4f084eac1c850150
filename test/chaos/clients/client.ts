import { createInterface } from 'node:readline'
import type { HistoryEvent } from '../history.ts'

/**
 * What each program here is told and tells: a producer of unique values and a member of a group, events as lines of
 * JSON on stdout, commands as lines on stdin: `rejoin`, `quiet` (produce no more; answered with `quiet` once every send
 * has a verdict), `end`.
 */
export interface ChaosClient {
  readonly name: string
  readonly brokers: string
  readonly topic: string
  readonly partitions: number
  readonly group: string
}

export const everyMs = 20

export function readArguments(): ChaosClient {
  const [name = '', brokers = '', topic = '', partitions = '1', group = ''] = process.argv.slice(2)
  return { name, brokers, topic, partitions: Number(partitions), group }
}

export function tell(
  event: HistoryEvent | { readonly e: 'quiet' | 'trouble'; readonly about?: string },
): void {
  process.stdout.write(`${JSON.stringify(event)}\n`)
}

/** What the commands have made of a program so far. */
export interface Told {
  isProducing: boolean
  /** Settles with the command `end`. */
  readonly ended: Promise<void>
}

export function followCommands(rejoin: () => void): Told {
  const end = Promise.withResolvers<void>()
  const told = { isProducing: true, ended: end.promise }
  createInterface({ input: process.stdin }).on('line', (line) => {
    if (line === 'rejoin') rejoin()
    else if (line === 'quiet') told.isProducing = false
    else if (line === 'end') end.resolve()
  })
  return told
}

/** Tells of what a group's member reads, and of the tenure in which it does. */
export class Tenures {
  readonly #name: string
  readonly #group: string
  #nth = 0
  readonly #tenureByPartition = new Map<number, string>()

  constructor(name: string, group: string) {
    this.#name = name
    this.#group = group
  }

  /** Everything that is read from now on belongs to new tenures; of one partition, or of all. */
  begin(partition?: number): void {
    if (partition === undefined) this.#tenureByPartition.clear()
    else this.#tenureByPartition.delete(partition)
  }

  poll(partition: number, offset: number, value: string): void {
    let tenure = this.#tenureByPartition.get(partition)
    if (tenure === undefined) {
      tenure = `${this.#group}#${this.#name}-${++this.#nth}`
      this.#tenureByPartition.set(partition, tenure)
      tell({ e: 'assigned', tenure, partition, from: offset })
    }
    tell({ e: 'poll', tenure, partition, offset, value })
  }

  committed(partition: number, offset: number): void {
    tell({ e: 'committed', group: this.#group, partition, offset })
  }
}
