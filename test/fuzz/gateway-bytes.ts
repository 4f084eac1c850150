/** `node test/fuzz/gateway-bytes.ts [count] [seed]`: 100,000 mutated inputs by default, about a minute. */
import { fuzzGateway } from './fuzz-gateway.ts'

const count = Number(process.argv[2] ?? 100_000)
const seed = Number(process.argv[3] ?? Date.now() % 1_000_000_007)
console.log(`seed ${seed}, ${count} inputs`)
const started = performance.now()
const { sent, replies, refused, halfRss, lateRss } = await fuzzGateway({ count, seed })
const seconds = ((performance.now() - started) / 1000).toFixed(1)
const mib = (bytes: number): number => Math.round(bytes / 1024 / 1024)
console.log(`${sent} sent in ${seconds} s; ${replies} replies, ${refused} refused as no commands`)
console.log(`${mib(halfRss)} MiB resident half way, ${mib(lateRss)} MiB at the end`)
// By then the heap has found its size; what grows with the inputs would go on growing.
if (count >= 50_000 && lateRss > halfRss * 1.25) throw new Error('memory grows with the inputs')
