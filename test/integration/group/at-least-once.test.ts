import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  openClient,
  type Client,
  type GroupMember,
  type OwnedPartition,
} from '../../../packages/millrace/src/client/index.ts'
import { isFailure } from '../../../packages/millrace/src/errors/index.ts'
import { startTestBroker } from '../../../packages/millrace/src/testing/index.ts'
import { until } from './support/scripting.ts'

const topic = 'orders'
const partitions = 6
const groupMinSessionTimeoutMs = 100

/** What all members together have handed over and committed. */
class Ledger {
  readonly seen = new Set<string>()
  readonly faults: string[] = []
  readonly #committed = new Map<number, number>()
  readonly #next = new Map<OwnedPartition, number>()

  begin(partition: OwnedPartition): void {
    const expected = this.#committed.get(partition.partition) ?? 0
    const from = partition.committed?.offset ?? 0
    if (from < expected) this.faults.push(`${partition.partition} went back to ${from}`)
    this.#next.set(partition, from)
  }

  handOver(partition: OwnedPartition, offset: number): void {
    const next = this.#next.get(partition)
    if (offset !== next) this.faults.push(`${partition.partition}@${offset} in place of ${next}`)
    this.#next.set(partition, offset + 1)
    this.seen.add(`${partition.partition}/${offset}`)
  }

  commit({ partition }: OwnedPartition, offset: number): void {
    this.#committed.set(partition, Math.max(offset, this.#committed.get(partition) ?? 0))
  }
}

class Worker {
  readonly client: Client
  readonly member: GroupMember
  readonly done: Promise<void>
  #isStopping = false

  constructor(address: string, ledger: Ledger) {
    this.client = openClient({ brokers: [address], requestTimeoutMs: 2000 })
    this.member = this.client.joinGroup({
      groupId: 'g',
      topics: [topic],
      heartbeatIntervalMs: 20,
      sessionTimeoutMs: 400,
      drainMs: 500,
      fetch: { maxWaitMs: 50 },
      onAssigned: (list) => {
        for (const one of list) ledger.begin(one)
      },
    })
    this.done = this.#run(ledger)
  }

  async #run(ledger: Ledger): Promise<void> {
    while (!this.#isStopping) {
      const entries = this.member.owned.flatMap((partition) => {
        const messages = partition.take(7)
        for (const { offset } of messages) ledger.handOver(partition, offset)
        const last = messages.at(-1)
        return last ? [{ partition, offset: last.offset + 1 }] : []
      })
      if (entries.length === 0) {
        await new Promise((resolve) => setImmediate(resolve))
        continue
      }
      const outcomes = await this.member.commit(entries).catch((error: unknown) => {
        // A crashed one never learns what became of its commit.
        if (this.#isStopping && isFailure(error, 'MR_CLIENT_CLOSED')) return []
        throw error
      })
      for (const [index, { partition, offset }] of entries.entries())
        if (outcomes[index] === 'committed') ledger.commit(partition, offset)
    }
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    await this.client.close({ timeoutMs: 3000 })
    await this.done
  }

  /** As a crash would: its sockets end without a word. */
  async kill(): Promise<void> {
    this.#isStopping = true
    this.client.connections.close()
    await this.stop()
  }
}

describe('a group', () => {
  for (const seed of [1, 2]) {
    it(`hands over every message, in order in each tenure, while members come, go and crash (${seed})`, async () => {
      await using broker = await startTestBroker({
        topics: { [topic]: partitions },
        options: { groupMinSessionTimeoutMs },
      })
      const ledger = new Ledger()
      await using client = openClient({ brokers: [broker.address] })
      const producer = client.producer()
      let state = seed * 7919
      const pick = (below: number): number => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
        return (state >>> 8) % below
      }
      const workers: Worker[] = [new Worker(broker.address, ledger)]
      await using ending = new AsyncDisposableStack()
      ending.defer(async () => {
        await Promise.all(workers.map((worker) => worker.stop()))
      })
      let sent = 0
      for (let round = 0; round < 25; round++) {
        const batch = Array.from({ length: 60 }, () => sent++)
        await Promise.all(
          batch.map((index) =>
            producer.send({ topic, partition: index % partitions, value: `${index}` }),
          ),
        )
        const what = pick(4)
        if (what < 2 && workers.length < 4) workers.push(new Worker(broker.address, ledger))
        else if (workers.length > 1) {
          const [gone] = workers.splice(pick(workers.length), 1)
          await (what === 2 ? gone?.stop() : gone?.kill())
        }
        // Not everything: the next change shall come while there is work.
        const half = (ledger.seen.size + sent) / 2
        await until('half was read', () => ledger.seen.size >= half, 10_000)
      }
      await until('everything was read', () => ledger.seen.size === sent, 10_000)
      assert.deepEqual(ledger.faults, [])
    })
  }

  it('goes on when its broker restarts', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-group-'))
    const options = { groupMinSessionTimeoutMs }
    const ledger = new Ledger()
    let broker = await startTestBroker({ folder, topics: { [topic]: partitions }, options })
    const { port, address } = broker
    const worker = new Worker(address, ledger)
    const client = openClient({ brokers: [address] })
    const producer = client.producer()
    const send = (from: number): Promise<unknown> =>
      Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          producer.send({ topic, partition: index % partitions, value: `${from + index}` }),
        ),
      )
    try {
      await send(0)
      await until('the first sixty', () => ledger.seen.size === 60)
      await broker.stop()
      broker = await startTestBroker({ folder, port, options })
      await send(60)
      await until('sixty more', () => ledger.seen.size === 120, 15_000)
      assert.deepEqual(ledger.faults, [])
    } finally {
      await worker.stop()
      await client.close()
      await broker.stop()
      await rm(folder, { recursive: true })
    }
  })
})
