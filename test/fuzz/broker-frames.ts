/** `node test/fuzz/broker-frames.ts [count] [seed]`: 100,000 mutated requests by default, some minutes. */
import { fuzzBroker } from './fuzz-broker.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_007)
console.log(`seed ${seed}, ${count} frames`)
const started = performance.now()
const { sent, closed, answered } = await fuzzBroker({ count, seed })
const seconds = ((performance.now() - started) / 1000).toFixed(1)
console.log(`${sent} sent in ${seconds} s; ${answered} answered, ${closed} connections closed`)
