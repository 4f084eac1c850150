/**
 * Compiled against interpreted codec, in one process: `node bench/codec.ts`.
 * Read the ratios; nanoseconds depend on the machine.
 */
import {
  apis,
  type RequestInput,
  type ResponseInput,
} from '../packages/millrace/src/protocol/index.ts'
import {
  compiledCodec,
  interpretedCodec,
} from '../packages/millrace/src/protocol/schema/body-codec.ts'
import type { Message } from '../packages/millrace/src/protocol/schema/message.ts'

const rounds = 7
const roundMs = 60

const fetchRequest: RequestInput<typeof apis.fetch> = {
  maxWaitMs: 500,
  minBytes: 1,
  maxBytes: 64 * 1024 * 1024,
  topics: [
    {
      topic: 'orders',
      partitions: [
        { partition: 0, fetchOffset: 4711, partitionMaxBytes: 1024 * 1024 },
        { partition: 1, fetchOffset: 2 ** 33, partitionMaxBytes: 1024 * 1024 },
      ],
    },
  ],
}

const metadataResponse: ResponseInput<typeof apis.metadata> = {
  brokers: [{ nodeId: 1, host: 'localhost', port: 9092 }],
  clusterId: 'MkU3OEVBNTcwNTJENDM2Qk',
  controllerId: 1,
  topics: Array.from({ length: 20 }, (_, topic) => ({
    name: `orders-${topic}`,
    topicId: 'MkU3OEVBNTcwNTJENDM2Qk'.slice(0, 21) + 'A',
    partitions: Array.from({ length: 3 }, (_none, partitionIndex) => ({
      partitionIndex,
      leaderId: 1,
      leaderEpoch: 0,
      replicaNodes: [1],
      isrNodes: [1],
    })),
  })),
}

/** Nanoseconds a call, the best of the rounds, so that neighbours disturb least. */
function measure(call: () => unknown): number {
  let best = Infinity
  for (let round = 0; round < rounds; round++) {
    const start = performance.now()
    let calls = 0
    let now = start
    while (now - start < roundMs) {
      for (let index = 0; index < 200; index++) call()
      calls += 200
      now = performance.now()
    }
    best = Math.min(best, ((now - start) * 1e6) / calls)
  }
  return best
}

function race(title: string, message: Message, version: number, value: object): void {
  const compiled = message.with(compiledCodec)
  const interpreted = message.with(interpretedCodec)
  const bytes = compiled.encodeBody(version, value)
  const steps = {
    decode: (one: Message) => () => one.decodeBody(version, bytes),
    encode: (one: Message) => () => one.encodeBody(version, value),
  }
  for (const [step, callOf] of Object.entries(steps)) {
    const slow = measure(callOf(interpreted))
    const fast = measure(callOf(compiled))
    const ratio = (slow / fast).toFixed(1)
    console.log(
      `${step} ${title}: compiled ${fast.toFixed(0)} ns, interpreted ${slow.toFixed(0)} ns, ratio ${ratio}`,
    )
  }
}

race('Fetch request v12', apis.fetch.request, 12, fetchRequest)
race('Metadata response v12, 20 topics of 3', apis.metadata.response, 12, metadataResponse)
